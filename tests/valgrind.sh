#!/bin/sh
# The main runs under valgrind: a report from a simulated Azure, a refused connection, a bundle and its replay, a key, bad input.
# Any error or leak ends it. builddir and srcdir say where things lie.
set -eu
builddir=${builddir:-.} srcdir=${srcdir:-$(dirname "$0")/..}
if [ -z "${VALGRIND_INSIDE:-}" ] && [ "$(id -u)" = 0 ]; then
  export VALGRIND_INSIDE=1 builddir srcdir
  exec timeout -k 5 600 unshare -mnp --fork --kill-child "$0"
fi
ip link set lo up 2>/dev/null || true
work=$(mktemp -d)
trap 'kill "$sim" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/home" "$work/az"
"$builddir/tests/azssh-sim" --world "$srcdir/tests/worlds/base.json" --ready "$work/ready" --lifetime 590 &
sim=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ -s "$work/ready" ] || sleep 0.1
done
arm=$(cat "$work/ready")
ssh-keygen -q -t ed25519 -N '' -f "$work/key"

# check NAME EXIT-CODE ARGUMENT...
check() {
  name=$1 want=$2 code=0
  shift 2
  env -i PATH="$PATH" HOME="$work/home" LANG=C.UTF-8 AZURE_CONFIG_DIR="$work/az" AZURE_POD_IDENTITY_AUTHORITY_HOST="$arm" \
    AZURE_AUTHORITY_HOST="$arm" AZSSH_ARM_ENDPOINT="$arm" AZURE_TENANT_ID=11111111-1111-1111-1111-111111111111 \
    AZURE_CLIENT_ID=00000000-0000-0000-0000-0000000000c1 AZURE_CLIENT_SECRET="${SECRET:-sim-secret}" \
    valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99 \
    "$builddir/azssh-doctor" "$@" >"$work/out" 2>"$work/err" || code=$?
  if [ $code != "$want" ] || grep -q '^==' "$work/err"; then
    printf 'valgrind: %s: exit code %d, %d was to be expected\n' "$name" $code "$want"
    cat "$work/out" "$work/err"
    exit 1
  fi
  printf 'valgrind: %s: clean\n' "$name"
}

check "help" 0 --help
check "a bad option" 2 --no-such-option
check "Azure alone" 0 --no-probe --source-ip 203.0.113.7 --bundle "$work/bundle" --no-redact -i "$work/key" myVM
check "replay" 0 --replay "$work/bundle" -f json
check "another source" 1 --no-probe --source-ip 198.51.100.9 -i "$work/key" -f json="$work/report" myVM
check "a VM that is not there" 1 --no-probe -i "$work/key" noSuchVM
SECRET=wrong check "a wrong secret" 3 --no-probe -i "$work/key" myVM
check "refused" 1 --no-azure --host 127.0.0.1 -p 1 -i "$work/key"
check "a key" 0 --no-azure --no-probe -i "$work/key"
check "no bundle" 2 --replay "$work/key"
check "an explanation" 0 --explain nsg-no-allow-rule
check "two VMs" 1 --no-probe --source-ip 203.0.113.7 -i "$work/key" -f ndjson myVM noSuchVM
