"""Set-ups of a user's side and of a server, drawn at random, and which codes may be the cause where ssh does not get in."""

from .keys import DEFECTS

# the keys of the lab: what KIND names is in azureuser's authorized_keys, KIND-x is not
KINDS = {"ed25519": {}, "rsa": {"type": "rsa"}, "ecdsa": {"type": "ecdsa"}, "ecdsa521": {"type": "ecdsa", "bits": 521},
	"rsa1024": {"type": "rsa", "bits": 1024}, "rsa2048": {"type": "rsa", "bits": 2048}, "ecdsa384": {"type": "ecdsa", "bits": 384},
	"sk": {"type": "ed25519-sk"}}
RECIPES = dict(KINDS, **{kind + "-x": dict(recipe, comment="x") for kind, recipe in KINDS.items()}, **{"k%d" % i: {} for i in range(1, 9)}, ca={}, ca2={})
DEFAULT = {"ed25519": "id_ed25519", "rsa": "id_rsa", "ecdsa": "id_ecdsa", "ecdsa521": "id_ecdsa", "rsa1024": "id_rsa", "rsa2048": "id_rsa",
	"ecdsa384": "id_ecdsa", "sk": "id_ed25519_sk"}

PASSWORDS = "PasswordAuthentication yes\n"
SERVERS = {
	"plain": {"kind": "sshd"},
	"tries1": {"kind": "sshd", "config": "MaxAuthTries 1"},
	"tries2": {"kind": "sshd", "config": "MaxAuthTries 2"},
	"password": {"kind": "sshd", "config": PASSWORDS},
	"no-keys": {"kind": "sshd", "config": PASSWORDS + "PubkeyAuthentication no"},
	"keyboard": {"kind": "sshd", "config": "PubkeyAuthentication no\nUsePAM yes\nKbdInteractiveAuthentication yes"},
	"allow-bob": {"kind": "sshd", "config": "AllowUsers bob"},
	"deny": {"kind": "sshd", "config": "DenyUsers azureuser"},
	"groups": {"kind": "sshd", "config": "AllowGroups sudo"},
	"match": {"kind": "sshd", "config": "Match User azureuser\n\tPubkeyAuthentication no\nMatch all"},
	"no-file": {"kind": "sshd", "config": "AuthorizedKeysFile none"},
	"certificates": {"kind": "sshd", "config": "AuthorizedKeysFile none\nTrustedUserCAKeys /etc/ssh/user_ca.pub"},
	"both": {"kind": "sshd", "config": "TrustedUserCAKeys /etc/ssh/user_ca.pub"},
	"two-steps": {"kind": "sshd", "config": PASSWORDS + "AuthenticationMethods publickey,password"},
	"rsa-4096": {"kind": "sshd", "config": "RequiredRSASize 4096"},
	"only-ed25519": {"kind": "sshd", "config": "PubkeyAcceptedAlgorithms ssh-ed25519,ssh-ed25519-cert-v01@openssh.com"},
	"with-sha1": {"kind": "sshd", "config": "PubkeyAcceptedAlgorithms +ssh-rsa,ssh-rsa-cert-v01@openssh.com"},
	"only-sha1": {"kind": "sshd", "config": "PubkeyAcceptedAlgorithms ssh-rsa"},
	"only-sha256": {"kind": "sshd", "config": "PubkeyAcceptedAlgorithms rsa-sha2-256,ssh-ed25519,ecdsa-sha2-nistp256"},
	"chacha": {"kind": "sshd", "config": "Ciphers chacha20-poly1305@openssh.com"},
	"sntrup": {"kind": "sshd", "config": "KexAlgorithms sntrup761x25519-sha512@openssh.com"},
	"dropbear": {"kind": "dropbear"},
	"tinysshd": {"kind": "tinysshd"},
}
PORTS = {name: 2200 + i for i, name in enumerate(SERVERS)}

# settings of ssh_config, and the codes that fit where ssh does not get in with them
SETTINGS = {
	"ControlMaster auto\n  ControlPath ~/.ssh/cm-%C": set(),
	"ControlMaster auto\n  ControlPath ~/.ssh/control-%r@%h:%p-" + "x" * 80: {"cfg-control-path"},
	"ControlMaster auto\n  ControlPath ~/.ssh/masters/%C": {"cfg-control-path"},
	"ControlPath ~/.ssh/nobody-listens": set(),
	"LocalForward 127.0.0.1:18080 localhost:80\n  ExitOnForwardFailure yes": set(),
	"DynamicForward 18081": set(),
	"RemoteForward 19000 localhost:80\n  ExitOnForwardFailure yes": set(),
	"BindAddress 192.0.2.77": {"cfg-bind-address"},
	"BindAddress 127.0.0.1": {"cfg-bind-address", "ssh-stops-tcp", "local-route-refuses", "tcp-unreachable", "tcp-timeout"},
	"BindInterface nope0": {"cfg-bind-address"},
	"BindInterface lo": {"cfg-bind-address", "ssh-stops-tcp", "local-route-refuses", "tcp-unreachable", "tcp-timeout"},
	"CheckHostIP yes": set(),
	"IPQoS none": set(),
	"IPQoS af21 cs1": set(),
	"KexAlgorithms curve25519-sha256": {"kex-mismatch"},
	"KexAlgorithms diffie-hellman-group14-sha256": {"kex-mismatch"},
	"KexAlgorithms diffie-hellman-group-exchange-sha256": {"kex-mismatch"},
	"KexAlgorithms ^ecdh-sha2-nistp256": {"kex-mismatch"},
	"MACs hmac-sha2-256\n  Ciphers aes128-ctr": {"cipher-mismatch", "mac-mismatch"},
	"HostKeyAlgorithms rsa-sha2-256": {"hostkey-alg-mismatch"},
	"HostKeyAlgorithms ssh-ed25519": {"hostkey-alg-mismatch"},
	"HostKeyAlgorithms ssh-dss": {"ssh-config-error", "hostkey-alg-mismatch"},
	"PKCS11Provider /usr/lib/nope.so": set(),
	"PKCS11Provider none": set(),
	"SecurityKeyProvider /usr/lib/nope.so": set(),
	"AddressFamily inet6": {"dns-nxdomain", "dns-no-address", "dns-failed", "dns-family", "ssh-stops-tcp", "tcp-unreachable"},
	"CanonicalizeHostname always": set(),
	"CanonicalizeHostname yes\n  CanonicalDomains example.test": set(),
	"HostKeyAlias somebody-else": {"hostkey-known-under-other-name", "hostkey-unknown-noninteractive"},
	"UserKnownHostsFile /dev/null": {"hostkey-known-under-other-name", "hostkey-unknown-noninteractive"},
	"UserKnownHostsFile ~/.ssh/absent ~/.ssh/known_hosts": set(),
	"StrictHostKeyChecking yes": set(),
	"StrictHostKeyChecking accept-new\n  UserKnownHostsFile ~/.ssh/new": set(),
	"StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null": set(),
	"KnownHostsCommand /bin/false": {"hostkey-command", "ssh-stops-host-key"},
	"Tag azure": {"cfg-bad-option"},
	"PermitLocalCommand yes\n  LocalCommand true": set(),
	"PermitLocalCommand yes\n  LocalCommand false": set(),
	"SendEnv LC_*": set(),
	"SetEnv FOO=bar": set(),
	"NumberOfPasswordPrompts 0": set(),
	"ConnectTimeout 2": set(),
	"ConnectionAttempts 2": set(),
	"Tunnel no": set(),
	"Tunnel point-to-point": set(),
	"VerifyHostKeyDNS ask": set(),
	"GSSAPIAuthentication yes": set(),
	"HostbasedAuthentication yes": set(),
	"Match exec false\n  User bob": set(),
	"Match exec true\n  User bob": set(),
	"Match canonical\n  User bob": set(),
	"Match final\n  Compression yes": set(),
	"ProxyJump none": set(),
	"ProxyCommand none": set(),
	"ProxyCommand false": {"proxycommand-fails", "ssh-stops-proxy"},
	"EscapeChar none": set(),
	"StdinNull yes": set(),
	"RequestTTY force": set(),
}

# one word of an axis is the usual one; the others are drawn
AXES = {
	"known": [False],
	"form": ["pem", "pkcs8", "der", "ppk", "ppk2", "sshcom", "jwk", "public", "rfc4716", "x509", "pkcs12"],
	"phrase": ["secret"],
	"defect": sorted(DEFECTS),
	"mode": ["400", "700", "500", "640", "604", "644", "660", "777", "000", "200"],
	"owner": ["other", "root"],
	"pub": ["own", "other", "garbage", "empty", "open", "options", "crlf", "private"],
	"place": ["missing", "unnamed", "linked", "pub-named", "token", "spaced", "alias", "include", "match", "in-block", "apart", "never", "comma"],
	"agent": ["empty", "good", "other", "full", "full-good", "good-full", "five-good", "locked", "dead", "confirm", "certificate", "a-file"],
	"extra": ["x-before", "x-after", "open-before", "broken-before", "good-default", "many-defaults", "encrypted-before"],
	"listed": ["crlf", "last", "command", "restrict", "from", "expired", "twice", "broken", "writable", "home-writable", "absent", "foreign", "comment-only"],
	"config": ["IdentitiesOnly yes", "PubkeyAuthentication no", "IdentityAgent none", "User bob", "PubkeyAcceptedAlgorithms ssh-rsa",
		"PubkeyAcceptedAlgorithms ssh-ed25519", "PubkeyAcceptedAlgorithms -ssh-ed25519", "PreferredAuthentications password",
		"PasswordAuthentication no", "NoSuchOption yes", "IdentityFile ~/.ssh/absent", "IdentityFile none", "Ciphers aes128-ctr", "AddKeysToAgent yes",
		"IgnoreUnknown NoSuchOption\n  NoSuchOption yes", "Port many", "CertificateFile ~/.ssh/absent-cert.pub", "UseKeychain yes",
		"PreferredAuthentications publickey", "RequiredRSASize 4096", "Compression yes", "SecurityKeyProvider none", "BatchMode yes",
		"IdentityAgent ~/agent.sock", "IdentitiesOnly yes\n  IdentityAgent none", "Match user azureuser\n  PubkeyAuthentication no", "User azureuser",
		"User AzureUser", "CertificateFile ~/.ssh/own-cert.pub", "PubkeyAcceptedAlgorithms +ssh-rsa", "HashKnownHosts yes",
		"PubkeyAcceptedAlgorithms rsa-sha2-256", "PubkeyAuthentication unbound", "LogLevel QUIET", "AddressFamily inet"] + sorted(SETTINGS),
	"config_mode": ["666", "660", "644", "400"],
	"user": ["bob", "AzureUser", "root", None],
	"cert": ["valid", "expired", "future", "principal", "ca"],
	"server": sorted(set(SERVERS) - {"plain"}),
}
WEIGHTS = {"server": 3, "agent": 3, "config": 8, "defect": 2, "form": 2, "mode": 2, "cert": 2, "extra": 3, "listed": 3, "place": 4}


def draw(rng):
	"""One set-up: a map of axes. The kind of key and the way it is named vary always; nothing to three of the others are odd."""
	out = {"known": True, "form": "openssh", "phrase": "", "defect": None, "mode": "600", "owner": "me", "pub": None, "agent": None,
		"config": None, "config_mode": "600", "user": "azureuser", "cert": None, "server": "plain",
		"extra": None, "listed": None,
		"kind": rng.choice(["ed25519", "ed25519", "ed25519", "rsa", "rsa", "rsa2048", "ecdsa", "ecdsa384", "ecdsa521", "rsa1024", "sk"]),
		"place": rng.choice(["option", "default", "config"])}
	bag = [axis for axis in AXES for _ in range(WEIGHTS.get(axis, 1))]
	for axis in dict.fromkeys(rng.choice(bag) for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3]))):
		out[axis] = rng.choice(AXES[axis])
	makers = {"jwk": ("ed25519",), "sshcom": ("rsa", "rsa1024", "rsa2048")}.get(out["form"])
	if out["kind"] not in makers if makers else out["kind"] == "sk" and out["form"] not in ("public", "rfc4716"):
		out["form"] = "openssh"		# nothing makes such a file
	return out


def name_of(setup):
	"""What is odd about it, in one line."""
	usual = {"known": True, "form": "openssh", "phrase": "", "mode": "600", "owner": "me", "config_mode": "600", "user": "azureuser", "server": "plain"}
	odd = ["%s=%s" % (axis, value) for axis, value in setup.items() if axis not in ("kind", "place") and value != usual.get(axis)]
	return " ".join([setup["kind"], setup["place"]] + odd).replace("\n", ";")


# ---- which answers fit ----

CHECKS = ("ssh-config", "dns", "tcp", "kex", "ssh-rehearsal", "key-file", "key-permissions", "key-format", "key-agent", "host-key", "auth")
TELLING = ("Offering", "Server accepts", "Load key", "Permission", "Trying", "Skipping", "identity_sign", "sign_and_send", "Too many", "denied", "no such",
	"can continue", "incorrect", "Bad ", "not accessible", "skipped", "Warning", "mutual", "error", "Received disconnect", "partial", "agent", "ignored",
	"Unable", "no matching", "configuration", "closed")


def telling(line):
	return any(word in line for word in TELLING) and "PubkeyAcceptedAlgorithms" not in line[:20]


# where the key's line stands in a block that does not count
BLOCKS = {"in-block": "cfg-include-in-block", "apart": "cfg-line-in-block", "never": "cfg-block-not-used", "comma": "cfg-block-not-used"}

FORMS = {"sshcom": "key-sshcom-format", "jwk": "key-jwk-format", "der": "key-der-format", "ppk": "key-ppk-format", "ppk2": "key-ppk-format", "public": "key-is-public-half", "rfc4716": "key-is-public-half",
	"x509": "key-not-a-key-file", "pkcs12": "key-not-a-key-file"}
DAMAGE = {"key-crlf", "key-damaged", "key-newlines-lost", "key-truncated", "key-utf16-bom", "key-not-a-key-file", "key-base64-encoded"}
DENIED = {"key-not-on-vm"}

# what ssh -v says of the same file when a code of the local side is certain
WORDS = dict({code: ("error in libcrypto", "invalid format", "Load key") for code in DAMAGE | set(FORMS.values())},
	**{"key-perms-too-open": ("bad permissions",), "key-unreadable-owner": ("Permission denied", "not accessible"),
	"key-missing": ("No such file",), "key-stale-pub": ("do not match public", "Offering"), "key-algorithm-off": ("Skipping", "skip", "key length", "refusing")})

ELSEWHERE = DENIED | {"client-pubkey-disabled", "cfg-bad-perms", "sshd-pubkey-disabled", "key-stale-pub", "key-algorithm-off"}	# then ssh does not come to read the file


def unfounded(code, confidence, log):
	"""true for a certainty of which ssh itself shows no sign."""
	return confidence == "certain" and code in WORDS and not any(word in log for word in WORDS[code])



def fitting(setup, log):
	"""The codes that fit a set-up with which ssh does not get in, and the exit codes that do."""
	codes, status = set(), {1}
	if setup["form"] in FORMS:
		codes.add(FORMS[setup["form"]])
	if setup["form"] in ("pkcs8", "pem") and setup["kind"] == "ed25519":
		codes.add("key-pkcs8-ed25519-unreadable")
	if setup["phrase"] or setup["form"] == "pkcs12":
		codes.add("key-encrypted-no-passphrase")
	if setup["defect"]:
		codes |= DAMAGE
	if setup["owner"] == "me" and int(setup["mode"], 8) & 0o077:
		codes.add("key-perms-too-open")
	if setup["mode"] in ("000", "200") or (setup["owner"] != "me" and not int(setup["mode"], 8) & 0o4):
		codes.add("key-unreadable-owner")
	if setup["pub"] == "other":
		codes.add("key-stale-pub")
	codes |= {"open-before": {"key-perms-too-open"}, "broken-before": DAMAGE, "encrypted-before": {"key-encrypted-no-passphrase"}}.get(setup["extra"], set())
	if setup["extra"] == "many-defaults" or setup["extra"] in ("x-before", "x-after"):
		codes |= {"too-many-auth-failures"} if setup["agent"] else set()
	if setup["place"] == "missing" or (setup["place"] == "token" and setup["user"] != "azureuser"):
		codes.add("key-missing")
	if setup["place"] in BLOCKS:
		codes |= {BLOCKS[setup["place"]], "key-default-not-picked", "password-auth-disabled", "key-not-on-vm"}
	if setup["place"] == "unnamed":
		codes |= {"key-default-not-picked", "password-auth-disabled"}
	if setup["place"] == "pub-named":
		codes.add("key-is-public-half")
	if setup["agent"] in ("full", "full-good", "good-full", "five-good"):
		codes.add("too-many-auth-failures")
	if setup["agent"] == "confirm":		# nobody can tell without asking for a signature
		codes.add("agent-refused-operation")
		status |= {0}
	if setup["agent"] in ("other", "full"):
		codes.add("agent-wrong-key")
	codes |= _by_config(setup)
	if "PKCS11Provider /" in (setup["config"] or ""):
		status |= {3}
	if setup["kind"] == "sk" or setup["server"] == "two-steps":	# the token is not here; what follows the key is not seen
		codes |= {"key-type-unusable"}
		status |= {0}
	if setup["listed"] in ("from", "expired", "broken", "writable", "home-writable", "absent", "foreign", "comment-only"):
		codes |= DENIED
	if not setup["known"] or setup["config"] in ("User AzureUser",) or setup["user"] != "azureuser" or setup["config"] == "User bob":
		codes |= DENIED | {"root-login"}
	if codes & DENIED or setup["server"] in DENYING:
		codes |= DENIED | _unfit(setup)
	if "PubkeyAuthentication no" in (setup["config"] or "") and setup["server"] == "password":
		status |= {0}
	codes |= _by_server(setup)
	return codes, status


DENYING = ("allow-bob", "deny", "groups", "no-file", "certificates", "rsa-4096", "only-ed25519", "only-sha256", "only-sha1", "tinysshd", "dropbear",
	"tries1", "tries2")


def _unfit(setup):
	"""What a refused key may lack: its own kind, the time of its certificate."""
	codes = {"ecdsa": {"key-type-unsupported-azure"}, "ecdsa521": {"key-type-unsupported-azure"}, "ecdsa384": {"key-type-unsupported-azure"}, "sk": {"key-type-unsupported-azure"},
		"rsa1024": {"key-rsa-too-short"}}.get(setup["kind"], set())
	return codes | {"expired": {"cert-expired"}, "future": {"cert-not-yet-valid"}}.get(setup["cert"], set())


def _by_config(setup):
	config = setup["config"] or ""
	codes = {"cfg-bad-perms"} if setup["config_mode"] in ("666", "660") else set()
	if "NoSuchOption" in config or "UseKeychain" in config:
		codes.add("cfg-bad-option")
	if "Port many" in config:
		codes.add("ssh-config-error")
	if "IdentityAgent" in config and setup["agent"]:
		codes |= {"key-missing", "key-default-not-picked", "password-auth-disabled", "agent-wrong-key"}
	if "own-cert" in config and setup["cert"]:
		codes |= DENIED
	if "PubkeyAuthentication no" in config or "PreferredAuthentications password" in config:
		codes.add("client-pubkey-disabled")
	if "PubkeyAcceptedAlgorithms ssh-rsa" in config:
		codes |= {"rsa-sha1-rejected", "key-algorithm-off"}
	elif "PubkeyAcceptedAlgorithms" in config or "RequiredRSASize" in config:
		codes.add("key-algorithm-off")
	codes |= SETTINGS.get(config, set())
	if "PKCS11Provider /" in config:	# nobody asks the token
		codes |= {"token-not-asked"}
	if "Match user azureuser" in config and setup["user"] != "azureuser":	# the key's line stands in that block
		codes |= {"cfg-block-not-used"}
	if "exec true" in config:
		codes |= DENIED
	if "IdentityFile none" in config or "absent" in config:
		codes |= {"key-missing", "key-default-not-picked", "password-auth-disabled"}
	return codes


def _by_server(setup):
	server = setup["server"]
	if server in ("tries1", "tries2"):
		return {"too-many-auth-failures"}
	if server in ("no-keys", "keyboard", "match"):
		return {"sshd-pubkey-disabled"}
	return set()
