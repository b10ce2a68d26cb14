# azssh-doctor --guest sends this script through Run Command. It runs as root in the VM and only
# reads. In front of it are the values that it looks for: user, source (the caller's address, or
# empty), address (the VM's own), port, since (how many seconds ago the run began), and keys ("type
# base64", one a line).
# It prints one fact a line. What matters most comes last: Run Command keeps the last 4,096 bytes.

# shellcheck disable=SC2012,SC2016,SC2154 # modes as ls writes them; programs of awk; the values in front
set -f
exec 2>/dev/null
nl='
'
IFS=$nl
LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH user source port since keys
text=''
lost=''

has() {
	command -v "$1" >/dev/null
}

# Some tools wait for a service that does not answer.
run() {
	if has timeout; then
		timeout 5 "$@" </dev/null
	else
		"$@" </dev/null
	fi
}

# begin NAME BYTES: a part of the output, which may take so many bytes.
begin() {
	name=$1
	room=$2
	part=''
}

# One fact: one line, printable, at most 230 bytes.
say() {
	line=$(printf '%s' "$1" | tr -d '\r' | tr -c '\040-\176' '?' | cut -c1-230)
	if [ "${#line}" -lt "$room" ]; then
		room=$((room - ${#line} - 1))
		part=$part$line$nl
	else
		room=0
		case $lost in *" $name"*) ;; *) lost="$lost $name" ;; esac
	fi
}

# Every line of a text as a fact of one kind.
say_all() {
	for each in $2; do
		say "$1 $each"
	done
}

# The most important part comes first, and later ones go in front of it, while there is room.
end() {
	if [ $((${#text} + ${#part})) -le 2900 ]; then
		text=$part$text
	else
		lost="$lost $name"
	fi
}

# Owner, mode and path of a file, as numbers and as ls writes them.
show_mode() {
	found=$(ls -ldn -- "$1" | awk '{ print $3, $1; exit }')
	say "$2 ${found:-none -} $1"
}

# ---- what sshd is, and its configuration for this user and source ----

sshd=$(command -v sshd)
daemon=''
set +f
for each in /proc/[0-9]*/cmdline; do
	line=$(tr '\000' ' ' <"$each")
	case $line in
	"sshd: "*"[listener]"*)
		daemon=${line#sshd: }
		break
		;;
	esac
	case ${line%% *} in */sshd) daemon=$line ;; esac
done
set -f
config=''
case " $daemon " in
*" -f "*)
	config=${daemon#* -f }
	config=${config%% *}
	;;
esac
spec="user=$user,host=$source,addr=$source"
[ -n "$source" ] || spec="user=$user"
spec="$spec,laddr=$address,lport=$port"
if [ -n "$sshd" ]; then
	settings=$(run "$sshd" ${config:+-f} ${config:+"$config"} -T -C "$spec")
	tested=$(run "$sshd" ${config:+-f} ${config:+"$config"} -t 2>&1)
	passed=$?
fi

# setting NAME: its value, in lower case as sshd -T prints the name.
setting() {
	printf '%s\n' "$settings" | awk -v name="$1" '$1 == name { sub(/^[^ ]* /, ""); print; exit }'
}

# ---- log: what sshd wrote about our connections ----

recent='
BEGIN {
	split(now, n, " ")
	second = n[3] * 3600 + n[4] * 60 + n[6]
	source = ENVIRON["source"]
	user = ENVIRON["user"]
}
{
	if (!match($0, /sshd(-session|-auth)?\[[0-9]+\]: /))
		next
	id = substr($0, RSTART, RLENGTH)
	said = substr($0, RSTART + RLENGTH)
	if ($1 ~ /^[0-9][0-9][0-9][0-9]-/) {
		today = substr($1, 1, 10) == n[5]
		clock = substr($1, 12, 8)
	} else {
		today = $1 == n[1] && $2 + 0 == n[2] + 0
		clock = $3
	}
	ago = second - substr(clock, 1, 2) * 3600 - substr(clock, 4, 2) * 60 - substr(clock, 7, 2)
	if (!today)
		ago += 86400
	if (ago < -60 || ago > 1800)
		next
	padded = " " said " "
	gsub(source != "" ? "[^0-9a-fA-F.:]" : "[^A-Za-z0-9._@+$-]", " ", padded)
	ours = index(padded, " " (source != "" ? source : user) " ") > 0
	count++
	ids[count] = id
	texts[count] = said
	kinds[count] = ago > ENVIRON["since"] + 2 ? "before" : "log"
	own[count] = ours
	listener[count] = said ~ /^(error: |fatal: )?(drop connection|beginning MaxStartups|refused connect)/
	if (ours && !listener[count])
		mine[id] = 1
}
END {
	kept = 0
	for (i = 1; i <= count; i++) {
		if (!own[i] && (listener[i] || !mine[ids[i]]))
			continue
		if (texts[i] ~ /^Connection from/)
			seen++
		if (texts[i] ~ /^(Connection (from|closed|reset)|Received disconnect|Disconnected|Postponed|Starting session|debug[123]: )/)
			continue
		same = texts[i]
		gsub(/port [0-9]+/, "port", same)
		if (same in last)
			out[last[same]] = ""
		last[same] = ++kept
		out[kept] = kinds[i] " " texts[i]
	}
	for (i = kept; i > 0; i--)
		if (out[i] != "" && ++shown <= 9)
			print out[i]
	if (seen > 0)
		print "seen " seen
}'

read_log() {
	[ ! -d /run/systemd/system ] ||
		run journalctl -q --no-pager -o short -n 800 --since -30min -t sshd -t sshd-session -t sshd-auth
	for each in /var/log/auth.log /var/log/secure /var/log/messages /var/log/syslog; do
		[ ! -s "$each" ] || tail -n 2000 "$each"
	done
}

begin log 1050
logged=$(read_log | awk -v now="$(date '+%b %d %H %M %Y-%m-%d %S')" "$recent")
newest=''
for each in $logged; do
	case $each in
	"seen "*) say "$each" ;;
	*) newest="$each$nl$newest" ;;
	esac
done
for each in $newest; do
	say "$each"
done
end

# ---- keys: where sshd looks for them, and whether the caller's are there ----

begin keys 760
account=$(run getent passwd "$user")
[ -n "$account" ] || account=$(awk -F: '$1 == ENVIRON["user"] { print; exit }' /etc/passwd)
# field NUMBER: of the account's line
field() {
	printf '%s\n' "$account" | cut -d: -f"$1"
}
home=$(field 6)

key_lines='
function blob_of(pair) {
	sub(/^[^ ]* /, "", pair)
	return pair
}
BEGIN {
	count = split(ENVIRON["keys"], keys, "\n")
	type = "(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh[.]com|[a-z0-9@.-]+-cert-v01@openssh[.]com)"
	valid = "(^|[ \t])" type "[ \t]+AAAA[A-Za-z0-9+/]+=*([ \t]|$)"
}
{
	sub(/\r$/, "")
	bare = $0
	gsub(/[ \t]/, "", bare)
	if (bare == "")
		next
	if (NR <= 2000)
		all = all bare
	comment = bare ~ /^#/
	good = $0 ~ valid
	if (!comment) {
		lines++
		if (good)
			sound++
		else if (bad == "") {
			bad = NR " text"
			if (bare ~ /PRIVATEKEY/)
				bad = NR " private-key"
			else if (bare ~ /BEGINSSH2/)
				bad = NR " ssh2"
			else if (bare ~ /^AAAA/)
				bad = NR " no-type"
			else if (bare ~ /^[A-Za-z0-9+\/]+=*$/)
				bad = NR " base64"
		}
	}
	for (i = 1; i <= count; i++) {
		blob = blob_of(keys[i])
		if (blob == "" || (at = index($0, blob)) == 0)
			continue
		after = substr($0, at + length(blob), 1)
		if (comment)
			state[i] = state[i] == "" ? "comment " NR : state[i]
		else if (good && (after == "" || after == " " || after == "\t"))
			print "key " number " " i " line " NR " " substr($0, 1, at - 1)
		else
			print "key " number " " i " joined " NR
		if (!comment)
			state[i] = "found"
	}
}
END {
	for (i = 1; i <= count; i++) {
		blob = blob_of(keys[i])
		if (state[i] ~ /^comment/)
			print "key " number " " i " " state[i]
		else if (blob != "" && state[i] == "" && index(all, blob) > 0)
			print "key " number " " i " torn 0"
		else if (blob != "" && state[i] == "" && index(all, substr(blob, 30, 24)) > 0)
			print "key " number " " i " part 0"
	}
	print "lines " number " " lines + 0 " " sound + 0 " " bad
}'

shown=''
# The folders of a file that StrictModes checks: up to the home folder, else up to the root.
show_folders() {
	folder=$(cd -P -- "${1%/*}/" && pwd)
	until=$(cd -P -- "$home/" && pwd)
	while [ -n "$folder" ]; do
		case $shown in *"|$folder|"*) ;; *) show_mode "$folder" path ;; esac
		shown="$shown|$folder|"
		case $folder in "$until" | /) break ;; esac
		folder=${folder%/*}
		folder=${folder:-/}
	done
}

number=0
listed=''
# One file of AuthorizedKeysFile.
show_file() {
	number=$((number + 1))
	listed="$listed|$1|"
	show_mode "$1" "file $number"
	if [ ! -f "$1" ]; then
		show_folders "$1"
		return
	fi
	first=$(od -An -tx1 -N3 <"$1" | tr -d ' ')
	case $first in
	fffe* | feff* | efbbbf) say "encoding $number $first" ;;
	esac
	for each in $(tr -d '\000' <"$1" | awk -v number="$number" "$key_lines"); do
		say "$each"
	done
	show_folders "$1"
}

if [ -n "$account" ]; then
	files=$(setting authorizedkeysfile)
	for each in $(printf '%s\n' "${files:-.ssh/authorized_keys .ssh/authorized_keys2}" | tr ' ' '\n'); do
		[ "$each" != none ] || continue
		path=$(printf '%s\n' "$each" | awk -v home="$home" -v id="$(field 3)" '{
			out = ""
			for (i = 1; i <= length($0); i++) {
				c = substr($0, i, 1)
				if (c == "%") {
					c = substr($0, ++i, 1)
					c = c == "h" ? home : c == "u" ? ENVIRON["user"] : c == "U" ? id : c
				}
				out = out c
			}
			print out
		}')
		case $path in /*) ;; *) path=$home/$path ;; esac
		case $path in *2) [ -e "$path" ] || continue ;; esac
		show_file "$path"
	done
	set +f
	IFS=' '
	set -- /root/.ssh/authorized_keys "$home"/.ssh/authorized_keys /home/*/.ssh/authorized_keys
	IFS=$nl
	set -f
	for path; do
		case $listed in *"|$path|"*) continue ;; esac
		listed="$listed|$path|"
		case $(tr -d '\000' <"$path" | awk -v number=0 "$key_lines") in
		*" line "*) say "elsewhere $path" ;;
		esac
	done
	command=$(setting authorizedkeyscommand)
	owner=$(setting authorizedkeyscommanduser)
	if [ -n "$command" ] && [ "$command" != none ]; then
		type=${keys%% *}
		blob=${keys#* }
		blob=${blob%%"$nl"*}
		IFS=' '
		# shellcheck disable=SC2086 # its arguments are words
		set -- $command
		IFS=$nl
		program=$1
		arguments=''
		for each; do
			case $each in
			%u) each=$user ;;
			%h) each=$home ;;
			%U) each=$(field 3) ;;
			%t) each=$type ;;
			%k) each=$blob ;;
			esac
			arguments="$arguments$each$nl"
		done
		if has runuser; then
			# shellcheck disable=SC2086 # one argument a line
			answer=$(run runuser -u "${owner:-nobody}" -- $arguments)
			status=$?
			case $(printf '%s\n' "$answer" | awk -v number=0 "$key_lines") in
			*" line "*) given=yes ;;
			*) given=no ;;
			esac
		else
			status=-1
			given=unknown
		fi
		say "command $status $given $program"
	fi
	for each in trustedusercakeys authorizedprincipalsfile; do
		path=$(setting $each | awk '{ gsub(/%u/, ENVIRON["user"]); print }')
		case $path in
		'' | none) ;;
		/*) show_mode "$path" "uses $each" ;;
		esac
	done
	enforcing=$(run getenforce)
	[ -n "$enforcing" ] || [ ! -f /sys/fs/selinux/enforce ] || enforcing=$(tr '01' 'PE' </sys/fs/selinux/enforce)
	case $enforcing in
	E*)
		say "selinux enforcing"
		for each in "$home" "$home/.ssh" "$home/.ssh/authorized_keys"; do
			say "label $(ls -dZ -- "$each" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /:.*:/) { print $i; exit } }') $each"
		done
		denied=$(tail -n 400 /var/log/audit/audit.log | grep 'avc: .denied.*comm="sshd' | tail -n 1)
		[ -z "$denied" ] || say "avc ${denied#*avc: }"
		;;
	esac
fi
end

# ---- account ----

begin account 420
if [ -n "$account" ]; then
	shell=$(field 7)
	shell=${shell:-/bin/sh}
	state=runs
	[ -x "$shell" ] || state=not-executable
	[ -e "$shell" ] || state=missing
	say "account $(field 3) $(field 4) $home"
	say "shell $state $shell"
	[ -d "$home" ] || say "home missing $home"
	shadow=$(awk -F: -v OFS=' ' '$1 == ENVIRON["user"] {
		word = "set"
		if ($2 == "")
			word = "empty"
		else if ($2 ~ /^!/)
			word = "locked"
		else if ($2 ~ /^[*]/)
			word = "none"
		for (i = 3; i <= 8; i++)
			if ($i == "")
				$i = "-"
		print word, $3, $5, $7, $8
		exit
	}' /etc/shadow)
	[ -z "$shadow" ] || say "shadow $shadow $(($(date +%s) / 86400))"
	say "groups $(run id -Gn -- "$user")"
else
	say "account none"
	say "users $(awk -F: '$3 >= 1000 && $3 < 60000 && $7 !~ /(nologin|false)$/ { printf "%s ", $1 }' /etc/passwd | cut -c1-150)"
fi
for each in /etc/nologin /run/nologin /var/run/nologin; do
	if [ -e "$each" ]; then
		say "nologin $each $(head -n 1 "$each" | cut -c1-100)"
		break
	fi
done
pam=$(cat /etc/pam.d/sshd /etc/pam.d/common-account /etc/pam.d/common-auth /etc/pam.d/password-auth | grep -v '^ *#')
for each in pam_access pam_listfile pam_faillock pam_tally2 pam_time; do
	case $pam in *"$each.so"*) say "pam $each" ;; esac
done
case $pam in
*pam_access.so*) say_all access "$(grep -v -e '^ *#' -e '^ *$' /etc/security/access.conf | head -n 4)" ;;
esac
for each in "$home/.bashrc" "$home/.profile" "$home/.bash_profile" /etc/profile; do
	[ -f "$each" ] || continue
	# only what no condition surrounds
	found=$(awk '
		/^[ \t]*(if|case|for|while|until|select)[ \t]/ || /[{(][ \t]*$/ { depth++ }
		/^[ \t]*(fi|esac|done|[})])/ { depth-- }
		depth == 0 && /^(exit|logout|sleep [0-9]+)([ \t;]|$)/ { print NR ": " $0; exit }
		/^while (true|:)/ { print NR ": " $0; exit }' "$each")
	[ -z "$found" ] || say "startup $each:$found"
done
end

# ---- sshd: installed, running, where it listens, what its configuration says ----

begin sshd 1000
if [ -z "$sshd" ]; then
	say "sshd none"
	for each in dropbear tinysshd; do
		! has $each || say "other-server $each"
	done
else
	say "sshd $sshd $("$sshd" -V 2>&1 </dev/null | grep -o -i -m 1 'OpenSSH_[^ ,]*')"
	[ -z "$daemon" ] || say "daemon $daemon"
	[ -n "$settings" ] || say "settings none"
fi
if [ -d /run/systemd/system ]; then
	for each in ssh.service sshd.service ssh.socket sshd.socket; do
		enabled=$(run systemctl is-enabled "$each")
		[ -z "$enabled" ] || [ "$enabled" = not-found ] || say "unit $each $(run systemctl is-active "$each") $enabled"
	done
	for each in ssh sshd; do
		case $(run systemctl show -p RuntimeDirectory "$each") in
		RuntimeDirectory=?*) say "makes-folder $each" ;;
		esac
	done
elif has rc-service; then
	say "unit sshd $(run rc-service sshd status | tail -n 1 | tr -d ' *' | cut -d: -f2) $(run rc-update show | grep -c ' sshd ')"
fi
if has ss; then
	listening=$(run ss -ltnp | awk '$1 == "LISTEN" {
		by = "-"
		if (match($0, /\(\("[^"]*"/))
			by = substr($0, RSTART + 3, RLENGTH - 4)
		print $4, by
	}')
elif has netstat; then
	listening=$(run netstat -ltnp | awk '$1 ~ /^tcp/ { by = $7; sub(/^[0-9]*\//, "", by); print $4, by == "" ? "-" : by }')
else
	listening=$(cat /proc/net/tcp /proc/net/tcp6 | awk '
	function number(hex,   i, n) {
		for (i = 1; i <= length(hex); i++)
			n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
		return n
	}
	$4 == "0A" {
		split($2, at, ":")
		ip = "[other]"
		if (length(at[1]) == 8)
			ip = number(substr(at[1], 7, 2)) "." number(substr(at[1], 5, 2)) "." number(substr(at[1], 3, 2)) "." number(substr(at[1], 1, 2))
		else if (at[1] ~ /^0+$/)
			ip = "[::]"
		else if (at[1] ~ /^0+1000000$/)
			ip = "[::1]"
		print ip ":" number(at[2]), "-"
	}')
fi
say_all listen "$(printf '%s\n' "$listening" | awk -v port="$port" '$2 ~ /^sshd/ || $1 ~ (":" port "$")' | sort -u | head -n 8)"
if [ -n "$sshd" ]; then
	if [ "$passed" = 0 ]; then
		say "test passed"
	else
		say_all "test" "$(printf '%s\n' "$tested" | grep -v -e '^@' -e 'It is required' -e 'This private key' -e 'Unable to load' |
			awk '!seen[$0]++' | head -n 4)"
	fi
fi
case $listening in
*" sshd"*) ;;
*)
	found=$({
		[ ! -d /run/systemd/system ] || run journalctl -q --no-pager -o cat -n 40 -t sshd
		for each in /var/log/auth.log /var/log/secure /var/log/messages; do
			tail -n 2000 "$each"
		done
	} | grep -E 'sshd.*(fatal: |error: |terminating|exiting)|^(fatal|error): ' | tail -n 60 | sed 's/^.*sshd\[[0-9]*\]: //' | awk '!seen[$0]++' | tail -n 3)
	say_all "start" "$found"
	;;
esac
unusual=$(printf '%s\n' "$settings" | awk -v types="$(printf '%s\n' "$keys" | cut -d' ' -f1 | tr '\n' ' ')" '
BEGIN {
	always = " port usepam permitrootlogin allowusers denyusers allowgroups denygroups passwordauthentication "
	split("addressfamily any strictmodes yes pubkeyauthentication yes authenticationmethods any authorizedkeyscommand none " \
		"trustedusercakeys none authorizedprincipalsfile none chrootdirectory none forcecommand none maxsessions 10 permittty yes " \
		"requiredrsasize 1024 maxauthtries 6 kbdinteractiveauthentication no revokedkeys none logingracetime 120", pairs, " ")
	for (i = 1; i in pairs; i += 2)
		usual[pairs[i]] = pairs[i + 1]
}
{
	name = $1
	value = $0
	sub(/^[^ ]* ?/, "", value)
}
index(always, " " name " ") || (name in usual && usual[name] != value) { print name, value }
name == "authorizedkeysfile" && value != ".ssh/authorized_keys .ssh/authorized_keys2" { print name, value }
name == "subsystem" && value ~ /^sftp / { print name, value }
name == "loglevel" && value ~ /^(QUIET|FATAL|ERROR)$/ { print name, value }
name == "maxstartups" && value != "10:30:100" { print name, value }
name == "listenaddress" && value !~ /^(0[.]0[.]0[.]0|\[::\]):/ { print name, value }
name ~ /^pubkeyaccepted(algorithms|keytypes)$/ {
	n = split(types, type, " ")
	list = "," value ","
	for (i = 1; i <= n; i++)
		if (!index(list, "," type[i] ",") && !(type[i] == "ssh-rsa" && list ~ /,rsa-sha2-(256|512),/))
			print "refuses", type[i]
}')
say_all set "$unusual"
if [ "$(setting passwordauthentication)" = no ]; then
	set +f
	IFS=' '
	set -- /etc/ssh/sshd_config.d/*.conf
	IFS=$nl
	set -f
	wanted=$(grep -l -i -E '^[ \t]*PasswordAuthentication[ \t]+yes' /etc/ssh/sshd_config "$@" | tail -n 1)
	found=$(grep -l -i -E '^[ \t]*PasswordAuthentication[ \t]+no' "$@" | head -n 1)
	[ -z "$wanted" ] || [ -z "$found" ] || say "overridden $found $wanted"
fi
for each in $(setting subsystem); do
	case $each in
	"sftp /"*)
		each=${each#sftp }
		[ -x "${each%% *}" ] || say "sftp missing ${each%% *}"
		;;
	esac
done
root=$(setting chrootdirectory | awk -v home="$home" '{ gsub(/%h/, home); gsub(/%u/, ENVIRON["user"]); print }')
case $root in
/*) show_mode "$root" "chroot" ;;
esac
for each in /run/sshd /var/empty/sshd /var/lib/empty /var/empty /usr/share/empty.sshd; do
	if [ -e "$each" ]; then
		show_mode "$each" privsep
		break
	fi
done
end

# ---- hostkeys ----

begin hostkeys 420
hostkeys=$(printf '%s\n' "$settings" | awk '$1 == "hostkey" { sub(/^[^ ]* /, ""); print }')
if [ -z "$hostkeys" ]; then
	set +f
	IFS=' '
	hostkeys=$(printf '%s\n' /etc/ssh/ssh_host_*_key)
	IFS=$nl
	set -f
fi
for each in $hostkeys; do
	found=$(ls -ldn -- "$each" | awk '{ print $3, $1; exit }')
	file=$each.pub
	[ -f "$file" ] || file=$each
	print=$(run ssh-keygen -lf "$file" | awk '{ print $1, $2, $NF; exit }')
	case $found in
	'') say "hostkey-file none - $each" ;;
	"0 -rw------- "* | "0 -rw-------") ;;
	*) say "hostkey-file $found $each" ;;
	esac
	[ -z "$print" ] || say "hostkey $print"
done
end

# ---- firewall: rules that decide about this port, and bans ----

begin firewall 620
shut=''
if has ufw; then
	found=$(run ufw status verbose)
	case $found in
	*"Status: active"*)
		shut=ufw
		say_all ufw "$(printf '%s\n' "$found" | grep -v '(v6)' | grep -E '^Default|ALLOW|DENY|REJECT|LIMIT' | head -n 14)"
		;;
	esac
fi
if has firewall-cmd && [ "$(run firewall-cmd --state 2>&1)" = running ]; then
	shut=firewalld
	zones=$(run firewall-cmd --get-active-zones | grep -v '^[ \t]')
	for each in $(printf '%s\n' "${zones:-$(run firewall-cmd --get-default-zone)}" | sed 's/ .*//' | head -n 3); do
		say "firewalld zone $each $(run firewall-cmd --zone="$each" --list-all |
			sed -n -e 's/^ *\(target\|services\|ports\|sources\|interfaces\): */\1=/p' -e 's/^[ \t]*rule /rule /p' | tr '\n' ';')"
	done
fi
rules='
function flat(chain, before, depth,   i, rule) {
	if (depth > 5)
		return
	for (i = 1; i <= size[chain]; i++) {
		rule = rules[chain, i]
		if (match(rule, /(jump|goto) [^ ]+$/)) {
			called = substr(rule, RSTART + 5, RLENGTH - 5)
			flat(table SUBSEP called, before substr(rule, 1, RSTART - 1), depth + 1)
		} else if (rule != "return" || i < size[chain]) {
			print before rule
		}
	}
}
/^table/ { family = $2; table = $2 " " $3 }
/^\tchain/ { chain = table SUBSEP $2 }
/^\t\ttype .* hook / {
	if ($0 ~ /hook (input|prerouting)/ && family != "ip6" && family != "arp") {
		base[++bases] = chain
		policy[chain] = $0 ~ /policy drop/ ? "drop" : "accept"
	}
	next
}
/^\t\t/ {
	rule = $0
	sub(/^\t\t/, "", rule)
	gsub(/counter packets [0-9]+ bytes [0-9]+ ?/, "", rule)
	gsub(/ comment "[^"]*"/, "", rule)
	sub(/ +$/, "", rule)
	if (rule !~ /^(udp|icmp|icmpv6|ip6|meta l4proto (udp|icmp|ipv6-icmp)|iif(name)? "?lo"?) ?/)
		rules[chain, ++size[chain]] = rule
}
END {
	for (b = 1; b <= bases; b++) {
		split(base[b], at, SUBSEP)
		table = at[1]
		if (size[base[b]] == 0 && policy[base[b]] == "accept")
			continue
		print "chain " at[1] " " at[2]
		flat(base[b], "", 0)
		print "policy " policy[base[b]]
	}
}'
if [ -z "$shut" ]; then
	found=$(run nft list ruleset | awk "$rules" | awk -v port="$port" '
		# single other ports cannot match; they only take room
		{
			other = 0
			if (match($0, /tcp dport [0-9]+ /)) {
				split(substr($0, RSTART, RLENGTH), w, " ")
				other = w[3] != port
			}
			if (!other)
				print
		}' | head -n 40)
	if [ -n "$found" ]; then
		say_all nft "$found"
	else
		say_all iptables "$(run iptables -S | grep -v -e '-p udp' -e '-p icmp' -e '-i lo ' | head -n 30)"
	fi
fi
if has fail2ban-client && [ -n "$source" ]; then
	for each in $(run fail2ban-client status | sed -n 's/.*Jail list:[ \t]*//p' | tr -d ' ' | tr ',' '\n' | head -n 6); do
		run fail2ban-client status "$each" | grep 'Banned IP list:' | awk '{ for (i = 1; i <= NF; i++) if ($i == ENVIRON["source"]) print }' |
			grep -q . && say "banned fail2ban $each"
	done
fi
if [ -n "$sshd" ] && grep -q libwrap "$sshd"; then
	say_all wrapper "$(grep -h -i -E '^ *(sshd|all) *[:,]' /etc/hosts.deny | head -n 3)"
fi
if [ -n "$source" ] && has ip; then
	found=$(run ip route get "$source" 2>&1 | head -n 1)
	case $found in
	unreachable* | blackhole* | prohibit* | *rror* | *"answers: "* | *"Network is unreachable"*) say "no-way-back $found" ;;
	esac
fi
end

# ---- disk: the file systems that a login needs, memory, load ----

begin disk 420
places=$(for each in / /etc /var /var/log /run /tmp /home "$home"; do [ ! -d "$each" ] || printf '%s\n' "$each"; done)
# shellcheck disable=SC2086 # one folder a line
inodes=$(run df -Pi $places)
# shellcheck disable=SC2086
say_all disk "$(run df -Pk $places | awk -v inodes="$inodes" '
BEGIN {
	n = split(inodes, line, "\n")
	for (i = 2; i <= n; i++) {
		m = split(line[i], w, " ")
		used[w[6]] = w[5]
	}
	while ((getline mount < "/proc/mounts") > 0) {
		split(mount, w, " ")
		how[w[2]] = w[4] ~ /^ro(,|$)/ ? "ro" : "rw"
	}
}
NR > 1 && !seen[$6]++ {
	count = used[$6]
	sub(/%/, "", count)
	full = $5
	sub(/%/, "", full)
	print full, $4, count ~ /^[0-9]+$/ ? count : "-", how[$6] == "" ? "rw" : how[$6], $6
}')"
say "memory $(awk '$1 == "MemTotal:" { total = $2 } $1 == "MemAvailable:" { free = $2 } $1 == "SwapFree:" { swap = $2 } END { print free + 0, total + 0, swap + 0 }' /proc/meminfo)"
say "load $(cut -d' ' -f1-3 /proc/loadavg) $(grep -c '^processor' /proc/cpuinfo)"
end

# ---- system ----

begin system 330
say "os $(sed -n 's/^ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release) $(sed -n 's/^VERSION_ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)"
say "clock $(date +%s)"
say_all address "$(run ip -o addr | awk '$2 != "lo" && $4 !~ /^fe80/ { print $2, $4 }' | head -n 6)"
end

printf '%s\n' "azssh-doctor begin"
[ -z "$lost" ] || printf '%s\n' "lost$lost"
printf '%s' "$text"
printf '%s\n' "azssh-doctor end"
