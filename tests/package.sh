#!/bin/sh
# The Debian package: two tarballs that are the same to the byte, the package built from one, lintian without a word, and the program, man page
# and completions in a fresh root. Environment: srcdir, builddir, MAKE. Prints a reason where something cannot be had here.
set -eu
: "${srcdir:?}" "${builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
skip() {
  echo "package: SKIP: $*"
  exit 0
}
for tool in dpkg-buildpackage dh lintian; do
  command -v "$tool" >/dev/null || skip "$tool is not installed (apt-get install dpkg-dev debhelper lintian)"
done

cd "$builddir"
for n in 1 2; do
  rm -f azssh-doctor-*.tar.gz
  "${MAKE:-make}" -s dist >/dev/null 2>&1 || { echo "package: make dist failed"; exit 1; }
  mkdir "$work/$n"
  mv azssh-doctor-*.tar.gz "$work/$n/"
done
cmp "$work"/1/*.tar.gz "$work"/2/*.tar.gz || { echo "package: two tarballs of the same tree differ"; exit 1; }
echo "package: the tarball is the same twice"

cd "$work"
tar xzf 1/*.tar.gz
cd azssh-doctor-*
dpkg-buildpackage -us -uc -b >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
cd ..
lintian --fail-on error,warning --tag-display-limit 0 --allow-root ./*.changes >"$work/lint" 2>&1 || { cat "$work/lint"; exit 1; }
echo "package: built, lintian is content"
set -- azssh-doctor_*.deb
dpkg-deb -f "$1" Depends | grep -q libcurl4 || { echo "package: libcurl4 is not named"; exit 1; }

if [ "$(id -u)" != 0 ] || ! command -v mmdebstrap >/dev/null; then
  skip "a fresh root needs root and mmdebstrap"
fi
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources >"$work/sources" 2>/dev/null || true
apt-config dump | grep '^Acquire::.*::Proxy' >"$work/aptconf" || true
cat >"$work/inside" <<'END'
set -e
azssh-doctor --version
azssh-doctor --list-checks | grep -q '^nsg:'
test -e /usr/share/bash-completion/completions/azssh-doctor
test -e /usr/share/zsh/vendor-completions/_azssh-doctor
test -e /usr/share/fish/vendor_completions.d/azssh-doctor.fish
test -e /usr/share/azssh-doctor/report.schema.json
if azssh-doctor --no-probe -s 00000000-0000-0000-0000-000000000001 rg/vm >/tmp/out 2>&1; then exit 1; fi
grep -q 'libcurl' /tmp/out && { cat /tmp/out; exit 1; }
cd /tmp && ssh-keygen -q -t ed25519 -N '' -f key && azssh-doctor --no-azure --no-probe -i key | grep -q '^ok'
END
# man pages are left out of small roots by dpkg's own rule, so the package is asked for its own
dpkg-deb -c "$1" | grep 'man1/azssh-doctor.1.gz' >/dev/null || { echo "package: no man page"; exit 1; }
cat >"$work/hook" <<END
set -e
cp "$work/$1" "$work/inside" "\$1/tmp/"
chroot "\$1" apt-get install -y --no-install-recommends "/tmp/$1"
chroot "\$1" sh /tmp/inside
END
chmod 755 "$work/hook"
mmdebstrap --variant=apt --mode=root --include=openssh-client --aptopt="$work/aptconf" --customize-hook="$work/hook" "$suite" /dev/null - \
  <"$work/sources" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
echo "package: installed and works in a fresh root of $suite"
