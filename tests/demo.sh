#!/bin/sh
# The demo: a simulated Azure, a real SSH server (Dropbear), a key with a bad mode, and a security group that does not admit the caller;
# one report, then the same VM mended and healthy. Everything happens in namespaces of its own: nothing outside them is reached, and
# nothing is left behind. builddir and srcdir say where the program and the world lie.
set -eu
builddir=${builddir:-.} srcdir=${srcdir:-$(dirname "$0")/..}
python=/usr/bin/python3
[ -x $python ] || python=python3

fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# Once more, in namespaces of its own: root has them, others by way of a user namespace.
if [ -z "${DEMO_INSIDE:-}" ]; then
  export DEMO_INSIDE=1 builddir srcdir
  if [ "$(id -u)" = 0 ]; then
    exec timeout -k 5 120 unshare -mnp --fork --kill-child "$0"
  fi
  unshare -rmn true 2>/dev/null || fail "this needs a network of its own: run it as root, or allow unprivileged user namespaces"
  exec timeout -k 5 120 unshare -rmnp --fork --kill-child "$0"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -m 700 "$work/home" "$work/home/.ssh" "$work/az"
home=$work/home
address=20.51.230.13

ip link set lo up
ip address add $address/32 dev lo
awk -F: -v OFS=: -v uid="$(id -u)" -v home="$home" '$3 == uid {$6 = home} {print}' /etc/passwd >"$work/passwd"
mount --bind "$work/passwd" /etc/passwd

ssh-keygen -q -t ed25519 -N '' -C demo -f "$home/.ssh/id_ed25519"
cp "$home/.ssh/id_ed25519.pub" "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
dropbearkey -t ed25519 -f "$work/host_key" >"$work/host_key.pub" 2>/dev/null
printf '%s %s\n' $address "$(sed -n 's/^\(ssh-ed25519 [^ ]*\).*/\1/p' "$work/host_key.pub")" >"$home/.ssh/known_hosts"
dropbear -F -E -r "$work/host_key" -p $address:22 -P "$work/dropbear.pid" 2>"$work/dropbear.log" &

# world FILE RULES: the simulated VM, with these inbound rules in its security group
world() {
  $python - "$srcdir/tests/worlds/base.json" "$1" "$(id -un)" "$home/.ssh/id_ed25519.pub" "$2" <<'END'
import json, sys
base, out, user, pub, rules = sys.argv[1:]
world = json.load(open(base))
for ident, body in world["resources"].items():
    if "/networkSecurityGroups/" in ident:
        body["properties"]["securityRules"] = [r for r in body["properties"]["securityRules"] if rules == "all"]
    if "/virtualMachines/" in ident:
        body["properties"]["osProfile"]["adminUsername"] = user
        for key in body["properties"]["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"]:
            key["keyData"] = open(pub).read()
json.dump(world, open(out, "w"))
END
}

# simulate WORLD: Azure answers from this world; sets $arm
simulate() {
  [ -z "${sim:-}" ] || { kill "$sim"; wait "$sim" 2>/dev/null || true; }
  rm -f "$work/ready"
  "$builddir/tests/azssh-sim" --world "$1" --ready "$work/ready" --lifetime 100 &
  sim=$!
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ ! -s "$work/ready" ] || break
    sleep 0.1
  done
  arm=$(cat "$work/ready") || fail "the simulator does not start"
}

doctor() {
  printf '\n$ azssh-doctor --source-ip 203.0.113.7 myVM\n'
  code=0
  env -i PATH="$PATH" HOME="$home" TERM="${TERM:-dumb}" LANG="${LANG:-C.UTF-8}" AZURE_CONFIG_DIR="$work/az" \
    AZURE_POD_IDENTITY_AUTHORITY_HOST="$arm" AZURE_AUTHORITY_HOST="$arm" AZSSH_ARM_ENDPOINT="$arm" \
    AZURE_TENANT_ID=11111111-1111-1111-1111-111111111111 AZURE_CLIENT_ID=00000000-0000-0000-0000-0000000000c1 \
    AZURE_CLIENT_SECRET=sim-secret "$builddir/azssh-doctor" --source-ip 203.0.113.7 myVM || code=$?
  printf '(exit code %d)\n' $code
  [ $code = "$1" ] || fail "exit code $1 was to be expected"
}

world "$work/closed.json" none
world "$work/open.json" all

printf '== A VM that cannot be reached: its security group admits nobody, and the key has a bad mode.\n'
nft add table inet demo
nft add chain inet demo input '{ type filter hook input priority 0; }'
nft add rule inet demo input ip daddr $address tcp dport 22 drop
chmod 644 "$home/.ssh/id_ed25519"
simulate "$work/closed.json"
doctor 1

printf '\n== The same VM, mended: the rule is there, the key is private.\n'
nft delete table inet demo
chmod 600 "$home/.ssh/id_ed25519"
simulate "$work/open.json"
doctor 0
