/* The checks of the conversation (dns, tcp, banner, kex, auth): each case is a healthy conversation
 * with one thing changed. Quotes in the JSON of this file are single ones. */
#include "tests/unit/checks/on_facts.h"
#include "tests/unit/net_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MY_VM "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/myvm"
#define MY_NIC                                                                                     \
	"/subscriptions/s/resourcegroups/rg/providers/microsoft.network/networkinterfaces/nic"
#define MY_PIP                                                                                     \
	"/subscriptions/s/resourcegroups/rg/providers/microsoft.network/publicipaddresses/pip"

static const char base[] =
    "{'schema': 'azssh-doctor/facts/1', 'started': '2026-01-01T00:00:00Z', 'asked': {},"
    " 'machine': {'terminal': true, 'client': {'state': 'known', 'number': 902, 'kex': "
    "['curve25519-sha256', 'diffie-hellman-group1-sha1']}},"
    " 'azure': {'resources': {"
    "  '" MY_VM "': {'id': '" MY_VM "', 'name': 'myVM', 'properties': {'osProfile': "
    "{'adminUsername': 'azureuser'}, 'storageProfile': {'osDisk':"
    "   {'osType': 'Linux'}}, 'networkProfile': {'networkInterfaces': [{'id': '" MY_NIC "'}]}}},"
    "  '" MY_NIC "': {'id': '" MY_NIC
    "', 'name': 'nic', 'properties': {'ipConfigurations': [{'id': '" MY_NIC
    "/ipConfigurations/one', 'name': 'one',"
    "   'properties': {'privateIPAddress': '10.0.0.4', 'primary': true, 'publicIPAddress': {'id': "
    "'" MY_PIP "'}}}]}},"
    "  '" MY_PIP "': {'id': '" MY_PIP
    "', 'name': 'pip', 'properties': {'ipAddress': '20.51.230.13', 'dnsSettings': {'fqdn': "
    "'my.example.net'}}}},"
    "  'missing': {}, 'requests': []},"
    " 'targets': [{'name': 'myVM', 'resource_group': 'rg', 'vm': {'state': 'known', 'id': '" MY_VM
    "', 'name': 'myVM', 'resource_group': 'rg',"
    "  'subscription': 's'}, 'network': {'state': 'known', 'nics': ['" MY_NIC "']},"
    "  'ssh_config': {'state': 'known', 'hostname': '20.51.230.13', 'port': 22, 'user': "
    "'azureuser', 'user_from': 'vm', 'options':"
    "   {'pubkeyacceptedalgorithms': 'ssh-ed25519,rsa-sha2-512'}},"
    "  'identities': {'state': 'known', 'order': [{'path': '/home/me/.ssh/id', 'type': "
    "'ssh-ed25519', 'fingerprint': 'SHA256:k', 'from': 'default',"
    "   'encrypted': 'no', 'present': true}]},"
    "  'wire': {'dns': {'state': 'known', 'name': '20.51.230.13', 'addresses': ['20.51.230.13'], "
    "'literal': true, 'ms': 0},"
    "   'tcp': {'state': 'known', 'address': '20.51.230.13', 'port': 22, 'result': 'connected', "
    "'ms': 20, 'loopback': false, 'way4': true, 'way6': true,"
    "    'local_address': '192.168.1.7', 'local_interface': 'eth0', 'tunnels': [], 'route': "
    "{'default': true, 'interface': 'eth0'},"
    "    'tried': [{'address': '20.51.230.13', 'result': 'connected', 'ms': 20}]},"
    "   'banner': {'state': 'known', 'result': 'ssh', 'line': 'SSH-2.0-OpenSSH_9.2p1', 'software': "
    "'OpenSSH_9.2p1', 'protocol': '2.0', 'ms': 5},"
    "   'kex': {'state': 'known', 'result': 'done', 'by': 'libssh2', 'server': {'kex': "
    "['curve25519-sha256'], 'host_key': ['ssh-ed25519'],"
    "    'cipher': ['aes128-ctr'], 'mac': ['hmac-sha2-256']}, 'client': {'kex': "
    "['curve25519-sha256']}, 'chosen': {'kex': 'curve25519-sha256',"
    "    'host_key': 'ssh-ed25519', 'cipher': 'aes128-ctr'}},"
    "   'auth': {'state': 'known', 'user': 'azureuser', 'methods': ['publickey'], 'queries': "
    "[{'fingerprint': 'SHA256:k', 'path': '/home/me/.ssh/id',"
    "    'answer': 'accepted'}], 'accepted': 'SHA256:k'}}}]}";

struct talk_case {
	const struct check *check;
	const char *wire, *target,
	    *doc; /* merged into the conversation, the target, the document; null values delete */
	enum status status;
	const char *code;
	enum confidence confidence;
	const char *says;     /* stands in the summary; NULL: anything */
	const char *possible; /* a code that must be named as possible, NULL for none */
};

#define DNS(text) "{'dns': {" text "}}"
#define TCP(text) "{'tcp': {" text "}}"
#define BANNER(text) "{'banner': {" text "}}"
#define KEX(text) "{'kex': {" text "}}"
#define AUTH(text) "{'auth': {" text "}}"
#define DENIED                                                                                     \
	"'accepted': null, 'queries': [{'fingerprint': 'SHA256:k', 'path': '/home/me/.ssh/id', "   \
	"'answer': 'denied'}]"
#define REFERENCE(result) "'reference': {'address': '192.0.2.9:22', 'result': '" result "'}"
#define TIMEOUT "'result': 'timeout', 'errno': 'ETIMEDOUT', 'ms': 5000"
#define PRIVATE "'address': '10.0.0.4', " TIMEOUT
#define NOBODY "{'identities': {'order': []}}"
#define NO_VM                                                                                      \
	"{'vm': {'state': 'unknown', 'cause': 'signed-out', 'id': null}, 'network': {'state': "    \
	"'unknown', 'cause': 'signed-out', 'nics': null}}"
#define CONFIG(text) "{'ssh_config': {'options': {" text "}}}"

static const struct talk_case cases[] = {
	{ &check_table[CHECK_DNS], NULL, NULL, NULL, PASS, "dns-literal", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_DNS], DNS("'name': 'my.example.net', 'literal': false"), NULL, NULL,
	  PASS, "dns-ok", CERTAIN, "20.51.230.13", NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'name': 'vm.internal', 'literal': false, 'addresses': ['10.0.0.4']"), NULL, NULL,
	  PASS, "dns-ok", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'state': 'absent', 'cause': 'nxdomain', 'name': 'x.invalid', 'error': 'EAI_NONAME'"),
	  NULL, NULL, FAIL, "dns-nxdomain", CERTAIN, "x.invalid", NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'state': 'unknown', 'cause': 'resolver', 'name': 'x.example', 'ms': 5000"), NULL,
	  NULL, FAIL, "dns-resolver-down", CERTAIN, "5000 ms", NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'state': 'unknown', 'cause': 'resolver', 'name': 'x.example'"), NULL,
	  "{'azure': {'requests': [{'url': 'https://management.azure.com/x', 'status': 200}]}}",
	  FAIL, "dns-servfail", LIKELY, NULL, NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'state': 'unknown', 'cause': 'resolver', 'name': 'x.example'"), NULL,
	  "{'azure': {'requests': [{'url': 'http://127.0.0.1:80/x', 'status': 200}]}}", FAIL,
	  "dns-resolver-down", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_DNS],
	  "{'dns': {'name': 'old.example', 'literal': false, 'addresses': ['20.51.230.99']}, "
	  "'auth': {'accepted': null}}",
	  NULL, NULL, FAIL, "dns-stale", CERTAIN,
	  "20.51.230.99, but the VM's address is 20.51.230.13", NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'name': 'front.example', 'literal': false, 'addresses': ['20.51.230.99']"), NULL,
	  NULL, PASS, "dns-ok", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_DNS],
	  "{'dns': {'name': 'x', 'literal': false, 'addresses': ['20.51.230.99']}, 'auth': "
	  "{'accepted': null}}",
	  NO_VM, NULL, PASS, "dns-ok", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'state': 'unknown', 'cause': 'resolver', 'name': 'x.example', 'rcode': 2"), NULL,
	  NULL, FAIL, "dns-servfail", LIKELY, "code 2", NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'state': 'unknown', 'cause': 'resolver', 'name': 'x.example', 'rcode': 5"), NULL,
	  NULL, FAIL, "dns-servfail", LIKELY, "refuses", NULL },
	{ &check_table[CHECK_DNS],
	  "{'dns': {'name': 'x', 'literal': false, 'addresses': ['198.18.0.9']}, 'auth': "
	  "{'accepted': null}}",
	  NULL, NULL, WARN, "dns-intercepted", CERTAIN, "198.18.0.9", NULL },
	{ &check_table[CHECK_DNS],
	  DNS("'state': 'unknown', 'cause': 'proxied', 'reason': 'by a jump host'"), NULL, NULL,
	  UNKNOWN, "not-known", CERTAIN, NULL, NULL },

	{ &check_table[CHECK_TCP], NULL, NULL, NULL, PASS, "tcp-connected", CERTAIN, "20 ms",
	  NULL },
	{ &check_table[CHECK_TCP], TCP("'result': 'refused', 'errno': 'ECONNREFUSED'"), NULL, NULL,
	  FAIL, "sshd-refused", LIKELY, NULL, "sshd-custom-port" },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'refused', 'icmp': {'type': 3, 'code': 3, 'from': '20.51.230.13'}"), NULL,
	  NULL, FAIL, "firewalld-reject", CERTAIN, NULL, "fail2ban-ban" },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'refused', 'icmp': {'type': 3, 'code': 3, 'from': '192.168.1.7'}"), NULL,
	  NULL, FAIL, "local-firewall-reject", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'prohibited', 'icmp': {'type': 3, 'code': 13, 'from': '203.0.113.1'}"),
	  NULL, NULL, FAIL, "rejected-on-path", CERTAIN, "203.0.113.1", NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'prohibited', 'icmp': {'type': 3, 'code': 10, 'from': '20.51.230.13'}"),
	  NULL, NULL, FAIL, "firewalld-reject", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'unreachable', 'errno': 'EHOSTUNREACH', 'icmp': {'type': 3, 'code': 1, "
	      "'from': '20.51.230.13'}"),
	  NULL, NULL, FAIL, "firewalld-reject", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'unreachable', 'errno': 'EHOSTUNREACH', 'icmp': {'type': 3, 'code': 1, "
	      "'from': '203.0.113.1'}"),
	  NULL, NULL, FAIL, "tcp-unreachable", CERTAIN, "203.0.113.1", NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'unreachable', 'errno': 'EHOSTUNREACH', 'ms': 30"), NULL, NULL, FAIL,
	  "tcp-unreachable", LIKELY, NULL, NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'unreachable', 'errno': 'EHOSTUNREACH', 'ms': 3100"), NULL, NULL, FAIL,
	  "tcp-unreachable", LIKELY, NULL, NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'unreachable', 'errno': 'ENETUNREACH', 'ms': 0, 'way4': false, 'way6': "
	      "false"),
	  NULL, NULL, FAIL, "no-local-network", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'unreachable', 'errno': 'ENETUNREACH', 'ms': 0, 'way6': false, 'address': "
	      "'2001:db8::5'"),
	  NULL, NULL, FAIL, "ipv6-only-route", CERTAIN, "IPv6", NULL },
	{ &check_table[CHECK_TCP], TCP(TIMEOUT), NULL, NULL, FAIL, "tcp-timeout", CERTAIN,
	  "5000 ms", "ufw-drop" },
	{ &check_table[CHECK_TCP], TCP(TIMEOUT), NO_VM, NULL, FAIL, "tcp-timeout", CERTAIN, NULL,
	  "nsg-no-allow-rule" },
	{ &check_table[CHECK_TCP], TCP(TIMEOUT ", 'send_failed': 3"), NULL, NULL, FAIL,
	  "local-firewall-drop", LIKELY, NULL, NULL },
	{ &check_table[CHECK_TCP],
	  TCP(TIMEOUT ", 'reference': {'address': '198.51.100.9:22', 'result': 'timeout'}"), NULL,
	  NULL, FAIL, "corp-firewall-blocks-22", LIKELY, "198.51.100.9", "local-firewall-drop" },
	{ &check_table[CHECK_TCP],
	  TCP(TIMEOUT ", 'reference': {'address': '198.51.100.9:22', 'result': 'connected'}"), NULL,
	  NULL, FAIL, "tcp-timeout", CERTAIN, NULL, "ufw-drop" },
	{ &check_table[CHECK_TCP], TCP(PRIVATE), NULL, NULL, FAIL, "vpn-not-connected", LIKELY,
	  "10.0.0.4", "private-ip-from-internet" },
	{ &check_table[CHECK_TCP], TCP(PRIVATE), NO_VM, NULL, FAIL, "vpn-not-connected", LIKELY,
	  NULL, "private-ip-from-internet" },
	{ &check_table[CHECK_TCP], TCP(PRIVATE ", 'tunnels': ['tun0']"), NULL, NULL, FAIL,
	  "tcp-timeout", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_TCP], TCP(PRIVATE ", 'route': {'default': false}"), NULL, NULL, FAIL,
	  "tcp-timeout", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_TCP], TCP(PRIVATE ", 'on_azure': true"), NULL, NULL, FAIL,
	  "tcp-timeout", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_TCP], TCP("'result': 'local', 'errno': 'EACCES'"), NULL, NULL, FAIL,
	  "local-route-refuses", CERTAIN, "EACCES", NULL },
	{ &check_table[CHECK_TCP], TCP("'result': 'reset', 'errno': 'ECONNRESET'"), NULL, NULL,
	  FAIL, "tcp-reset", CERTAIN, NULL, "dpi-resets-ssh" },
	{ &check_table[CHECK_TCP], TCP("'state': 'unknown', 'cause': 'not-reached', 'reason': 'r'"),
	  NULL, NULL, SKIP, "not-reached", CERTAIN, NULL, NULL },

	{ &check_table[CHECK_TCP],
	  TCP("'result': 'refused', 'others': [{'port': 2222, 'result': 'ssh', 'line': "
	      "'SSH-2.0-x'}]"),
	  NULL, NULL, FAIL, "sshd-custom-port", CERTAIN, "2222", NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'refused', 'others': [{'port': 2222, 'result': 'refused'}]"), NULL, NULL,
	  FAIL, "sshd-refused", LIKELY, NULL, NULL },
	{ &check_table[CHECK_TCP], TCP("'state': 'unknown', 'cause': 'proxied', 'reason': 'r'"),
	  NULL, NULL, UNKNOWN, "proxycommand-not-run", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_TCP], TCP("'proxy': {'jump': 'j', 'stage': 'through'}"), NULL, NULL,
	  PASS, "tcp-connected", CERTAIN, "through j", NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'refused', 'proxy': {'jump': 'j', 'stage': 'target', 'words': 'w'}"), NULL,
	  NULL, FAIL, "jump-cannot-reach-target", CERTAIN, "w", NULL },
	{ &check_table[CHECK_TCP],
	  TCP("'result': 'refused', 'proxy': {'jump': 'j', 'stage': 'jump', 'words': 'w'}"), NULL,
	  NULL, FAIL, "jump-login-failed", CERTAIN, "w", NULL },

	{ &check_table[CHECK_BANNER], NULL, NULL, NULL, PASS, "banner-ok", CERTAIN, "OpenSSH_9.2p1",
	  NULL },
	{ &check_table[CHECK_BANNER], BANNER("'protocol': '1.5'"), NULL, NULL, FAIL,
	  "banner-old-protocol", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_BANNER], BANNER("'protocol': '1.99'"), NULL, NULL, PASS, "banner-ok",
	  CERTAIN, NULL, NULL },
	{ &check_table[CHECK_BANNER],
	  BANNER("'result': 'text', 'text': 'Exceeded MaxStartups\\r\\n', 'before': ['Exceeded "
		 "MaxStartups']"),
	  NULL, NULL, FAIL, "sshd-maxstartups", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_BANNER],
	  BANNER("'result': 'text', 'text': 'Not allowed at this time\\r\\n'"), NULL, NULL, FAIL,
	  "sshd-persource-penalties", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_BANNER],
	  BANNER("'result': 'text', 'text': 'go away\\n', 'before': ['go away']"), NULL, NULL, FAIL,
	  "banner-closed-early", CERTAIN, "go away", "tcpwrappers-deny" },
	{ &check_table[CHECK_BANNER], BANNER("'result': 'closed', 'reset': true"), NULL, NULL, FAIL,
	  "banner-closed-early", LIKELY, "reset", "sshd-maxstartups" },
	{ &check_table[CHECK_BANNER], BANNER("'result': 'none', 'ms': 5000"), NULL, NULL, FAIL,
	  "vm-overloaded-banner-timeout", LIKELY, "5000 ms", "intercepted-by-proxy" },
	{ &check_table[CHECK_BANNER],
	  "{'banner': {'result': 'none'}, 'tcp': {'address': '198.18.0.4'}}", NULL, NULL, FAIL,
	  "intercepted-by-proxy", LIKELY, NULL, NULL },
	{ &check_table[CHECK_BANNER], BANNER("'result': 'none', 'bytes': 40, 'before': ['x9d2']"),
	  NULL, NULL, FAIL, "banner-tarpit", CERTAIN, "x9d2", NULL },
	{ &check_table[CHECK_BANNER], BANNER("'result': 'not-ssh', 'guess': 'tls', 'bytes': 7"),
	  NULL, NULL, FAIL, "banner-not-ssh", CERTAIN, "TLS", NULL },
	{ &check_table[CHECK_BANNER], BANNER("'result': 'not-ssh', 'bytes': 65536"), NULL, NULL,
	  FAIL, "banner-tarpit", CERTAIN, NULL, NULL },

	{ &check_table[CHECK_BANNER],
	  "{'banner': {'result': 'none'}, 'tcp': {" REFERENCE("silent") "}}", NULL, NULL, FAIL,
	  "intercepted-by-proxy", LIKELY, "192.0.2.9", "dpi-resets-ssh" },
	{ &check_table[CHECK_BANNER],
	  "{'banner': {'result': 'none'}, 'tcp': {" REFERENCE("ssh") "}}", NULL, NULL, FAIL,
	  "vm-overloaded-banner-timeout", LIKELY, NULL, "tcpwrappers-deny" },
	{ &check_table[CHECK_BANNER],
	  "{'banner': {'result': 'closed'}, 'tcp': {" REFERENCE("reset") "}}", NULL, NULL, FAIL,
	  "intercepted-by-proxy", LIKELY, "192.0.2.9", NULL },
	{ &check_table[CHECK_BANNER],
	  "{'banner': {'result': 'closed'}, 'tcp': {" REFERENCE("timeout") "}}", NULL, NULL, FAIL,
	  "banner-closed-early", LIKELY, NULL, "dpi-resets-ssh" },
	{ &check_table[CHECK_KEX],
	  "{'kex': {'result': 'closed', 'server': null}, 'tcp': {" REFERENCE("closed") "}}", NULL,
	  NULL, FAIL, "dpi-resets-ssh", LIKELY, "192.0.2.9", NULL },
	{ &check_table[CHECK_KEX],
	  "{'kex': {'result': 'reset', 'server': null}, 'tcp': {" REFERENCE("ssh") "}}", NULL, NULL,
	  FAIL, "kex-closed", LIKELY, "not this network", NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'agreed'"), NULL, NULL, PASS, "kex-ok", CERTAIN,
	  "not carried out", NULL },
	{ &check_table[CHECK_KEX], NULL, NULL, NULL, PASS, "kex-ok", CERTAIN, "curve25519", NULL },
	{ &check_table[CHECK_KEX],
	  KEX("'result': 'no-common', 'missing': 'kex', 'server': {'kex': "
	      "['diffie-hellman-group1-sha1']}"),
	  NULL, NULL, FAIL, "kex-mismatch", CERTAIN, "group1", NULL },
	{ &check_table[CHECK_KEX],
	  KEX("'result': 'no-common', 'missing': 'host_key', 'server': {'host_key': ['ssh-rsa']}"),
	  NULL, NULL, FAIL, "hostkey-alg-mismatch", CERTAIN, "ssh-rsa", NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'no-common', 'missing': 'cipher'"), NULL, NULL,
	  FAIL, "cipher-mismatch", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'no-common', 'missing': 'mac'"), NULL, NULL, FAIL,
	  "mac-mismatch", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'no-common'"), NULL, NULL, UNKNOWN,
	  "kex-not-checked", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'stalled', 'mtu': 'proven'"), NULL, NULL, FAIL,
	  "mtu-blackhole", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'stalled', 'mtu': 'suspected'"), NULL, NULL, FAIL,
	  "mtu-blackhole", LIKELY, NULL, NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'stalled'"), NULL, NULL, FAIL, "kex-stalled",
	  LIKELY, NULL, "mtu-blackhole" },
	{ &check_table[CHECK_KEX], KEX("'result': 'reset', 'server': null"), NULL, NULL, FAIL,
	  "dpi-resets-ssh", LIKELY, NULL, NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'reset'"), NULL, NULL, FAIL, "kex-closed", LIKELY,
	  "reset", NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'closed'"), NULL, NULL, FAIL, "kex-closed",
	  LIKELY, "closed", "sshd-persource-penalties" },
	{ &check_table[CHECK_KEX], KEX("'result': 'disconnect', 'text': 'no more'"), NULL, NULL,
	  FAIL, "kex-disconnected", CERTAIN, "no more", NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'garbage'"), NULL, NULL, FAIL, "kex-garbage",
	  CERTAIN, NULL, NULL },
	{ &check_table[CHECK_KEX], KEX("'result': 'bad-signature'"), NULL, NULL, FAIL,
	  "kex-bad-signature", CERTAIN, NULL, NULL },

	{ &check_table[CHECK_AUTH], NULL, NULL, NULL, PASS, "auth-key-accepted", CERTAIN,
	  "/home/me/.ssh/id for azureuser", NULL },
	{ &check_table[CHECK_AUTH], AUTH(DENIED), NULL, NULL, FAIL, "key-not-on-vm", LIKELY, NULL,
	  "sshd-allowusers" },
	{ &check_table[CHECK_AUTH], AUTH(DENIED ", 'text': 'Too many authentication failures'"),
	  "{'identities': {'order': [{'present': true}, {'present': true}]}}", NULL, FAIL,
	  "key-not-on-vm", LIKELY, NULL, "too-many-auth-failures" },
	{ &check_table[CHECK_AUTH], AUTH(DENIED ", 'user': 'ubuntu'"), NULL, NULL, FAIL,
	  "username-wrong", LIKELY, "azureuser", "key-not-on-vm" },
	{ &check_table[CHECK_AUTH], AUTH(DENIED ", 'user': 'AzureUser'"), NULL, NULL, FAIL,
	  "username-wrong", LIKELY, NULL, NULL },
	{ &check_table[CHECK_AUTH], AUTH(DENIED ", 'user': 'ubuntu'"), NO_VM, NULL, FAIL,
	  "key-not-on-vm", LIKELY, NULL, "username-wrong" },
	{ &check_table[CHECK_AUTH], AUTH(DENIED ", 'user': 'root'"), NULL, NULL, FAIL, "root-login",
	  LIKELY, "azureuser", NULL },
	{ &check_table[CHECK_AUTH], AUTH(DENIED ", 'user': 'me@contoso.com'"), NULL, NULL, FAIL,
	  "aad-plain-ssh", LIKELY, NULL, NULL },
	{ &check_table[CHECK_AUTH],
	  AUTH("'accepted': null, 'queries': [], 'user': 'me@contoso.com'"), NOBODY, NULL, FAIL,
	  "aad-plain-ssh", LIKELY, NULL, NULL },
	{ &check_table[CHECK_AUTH], AUTH(DENIED ", 'methods': ['publickey', 'password']"), NULL,
	  NULL, WARN, "auth-by-password", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH], AUTH(DENIED ", 'methods': ['publickey', 'password']"),
	  "{'identities': {'explicit': '/home/me/.ssh/id'}}", NULL, FAIL, "key-not-on-vm", LIKELY,
	  NULL, NULL },
	{ &check_table[CHECK_AUTH],
	  AUTH("'accepted': null, 'queries': [], 'methods': ['publickey', 'password']"), NOBODY,
	  NULL, WARN, "auth-by-password", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH], AUTH("'accepted': null, 'queries': []"), NOBODY, NULL, FAIL,
	  "password-auth-disabled", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH], AUTH("'accepted': null, 'queries': []"), NULL, NULL, UNKNOWN,
	  "auth-no-key-asked", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH], AUTH("'accepted': null, 'queries': [{'answer': 'unknown'}]"),
	  NULL, NULL, UNKNOWN, "auth-not-answered", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH],
	  AUTH("'accepted': null, 'queries': [], 'methods': ['password']"), NULL, NULL, FAIL,
	  "sshd-pubkey-disabled", CERTAIN, "password", NULL },
	{ &check_table[CHECK_AUTH],
	  AUTH("'accepted': null, 'queries': [], 'methods': ['keyboard-interactive']"), NOBODY,
	  NULL, WARN, "auth-by-password", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH], AUTH("'accepted': null, 'queries': [], 'methods': ['none']"),
	  NULL, NULL, WARN, "auth-open", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH], NULL,
	  "{'identities': {'order': [{'path': '/k', 'fingerprint': 'SHA256:k', 'encrypted': 'yes', "
	  "'present': true}]}}",
	  NULL, PASS, "auth-key-accepted", CERTAIN, "passphrase", NULL },
	{ &check_table[CHECK_AUTH], NULL,
	  "{'identities': {'order': [{'path': '/k', 'fingerprint': 'SHA256:k', 'encrypted': 'yes', "
	  "'present': true}, {'agent': true,"
	  " 'fingerprint': 'SHA256:k'}]}}",
	  "{'machine': {'terminal': false}}", PASS, "auth-key-accepted", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH], NULL, CONFIG("'pubkeyauthentication': 'false'"), NULL, FAIL,
	  "client-pubkey-disabled", CERTAIN, NULL, NULL },
	{ &check_table[CHECK_AUTH], NULL,
	  "{'identities': {'order': [{'path': '/k', 'type': 'ssh-rsa', 'fingerprint': 'SHA256:k', "
	  "'present': true}]}, "
	  "'ssh_config': {'options': {'pubkeyacceptedalgorithms': 'ssh-rsa'}}}",
	  NULL, FAIL, "rsa-sha1-rejected", CERTAIN, NULL, NULL },
};

enum { CASES = sizeof(cases) / sizeof(*cases) };

static void
merge_text(json_t *into, const char *text)
{
	json_t *patch;

	if (text == NULL)
		return;
	patch = net_json(text);
	net_merge(into, patch);
	json_decref(patch);
}

static void
judge(const struct talk_case *one, struct finding *finding)
{
	struct facts facts;
	struct rule rule = { .id = one->check->id, .enabled = true };
	json_t *doc = net_json(base);
	const struct check *check = one->check;

	ck_assert_int_eq(facts_view(doc, 0, &facts), 0);
	merge_text(doc_get(facts.target, "wire"), one->wire);
	merge_text(facts.target, one->target);
	merge_text(doc, one->doc);
	finding_init(finding, check->id);
	if (check->needs == 0 || facts_state(&facts, FACT_TCP, NULL) == FACT_KNOWN)
		check_on(&facts, check, &rule, finding);
	else
		finding_set(finding, SKIP, CODE_NOT_REACHED, "guarded");
	json_decref(doc);
}

START_TEST(each_conversation_has_its_finding)
{
	const struct talk_case *one = &cases[_i];
	struct finding finding;
	bool named = one->possible == NULL;

	judge(one, &finding);
	ck_assert_msg(strcmp(finding.code, one->code) == 0, "case %d: got %s (%s), wanted %s", _i,
		      finding.code, finding.summary, one->code);
	ck_assert_msg(finding.status == one->status, "case %d (%s): got %s", _i, one->code,
		      status_word(finding.status));
	ck_assert_msg(finding.confidence == one->confidence, "case %d (%s): got %s", _i, one->code,
		      confidence_word(finding.confidence));
	if (one->says != NULL)
		ck_assert_msg(strstr(finding.summary, one->says) != NULL, "case %d (%s): %s", _i,
			      one->code, finding.summary);
	for (const enum code *code = finding.possible; *code != CODE_CUSTOM && !named; code++)
		named = strcmp(code_word(*code), one->possible) == 0;
	ck_assert_msg(named, "case %d (%s): %s is not named as possible", _i, one->code,
		      one->possible);
	finding_free(&finding);
}
END_TEST

START_TEST(each_fault_has_words_that_fit)
{
	static const char *const dialects[] = { "az", "powershell", "portal", NULL };
	const struct talk_case *one = &cases[_i];
	struct finding finding;
	struct rules *rules;
	struct err err = { "" };
	json_t *globals = net_json("{'vm': 'myVM', 'rg': 'rg', 'user': 'azureuser', 'host': "
				   "'20.51.230.13', 'port': 22, 'vm_id': '/x'}");

	ck_assert_msg(rules_default(&rules, &err) == 0, "%s", err.text);
	judge(one, &finding);
	ck_assert_int_eq(finding_fill_in(&finding, rules, globals, dialects), 0);
	if (finding.status == FAIL || finding.status == WARN) {
		const struct code_words *words = rules_code(rules, finding.code);

		ck_assert_msg(words != NULL, "%s has no words", finding.code);
		ck_assert_str_eq(words->owner, finding.check);
		ck_assert_msg(strchr(finding.title, '<') == NULL &&
				  strchr(finding.why, '<') == NULL,
			      "%s: %s / %s", finding.code, finding.title, finding.why);
	}
	for (size_t i = 0; finding.possible[i] != CODE_CUSTOM; i++) {
		const char *code = code_word(finding.possible[i]);
		const struct code_words *words = rules_code(rules, code);

		ck_assert_msg(words != NULL && words->decide != NULL,
			      "%s: possible %s has no words or no decide", finding.code, code);
	}
	finding_free(&finding);
	json_decref(globals);
	rules_free(rules);
}
END_TEST

START_TEST(the_first_address_that_is_silent_is_a_warning_beside)
{
	struct talk_case one = { &check_table[CHECK_TCP],
				 "{'tcp': {'tried': [{'address': '2001:db8::1', 'result': "
				 "'timeout', 'ms': 5000}, {'address': '20.51.230.13',"
				 " 'result': 'connected'}]}}",
				 NULL,
				 NULL,
				 PASS,
				 "tcp-connected",
				 CERTAIN,
				 NULL,
				 NULL };
	struct finding finding;

	judge(&one, &finding);
	ck_assert_int_eq((int)finding.status, PASS);
	ck_assert_uint_eq(finding.also_count, 1);
	ck_assert_str_eq(finding.also[0].code, "tcp-first-address-silent");
	finding_free(&finding);
}
END_TEST

START_TEST(the_option_that_would_help_is_named)
{
	struct talk_case one = { &check_table[CHECK_KEX],
				 KEX("'result': 'no-common', 'missing': 'kex', 'server': {'kex': "
				     "['x', 'diffie-hellman-group1-sha1']}"),
				 NULL,
				 NULL,
				 FAIL,
				 NULL,
				 CERTAIN,
				 NULL,
				 NULL };
	struct finding finding;

	judge(&one, &finding);
	ck_assert_str_eq(doc_str(finding.evidence, "option"),
			 "KexAlgorithms=+diffie-hellman-group1-sha1");
	finding_free(&finding);
}
END_TEST

START_TEST(methods_and_accepted_always_stand_in_the_evidence)
{
	struct talk_case one = {
		&check_table[CHECK_AUTH], AUTH(DENIED), NULL, NULL, FAIL, NULL, LIKELY, NULL, NULL
	};
	struct finding finding;

	judge(&one, &finding);
	ck_assert_uint_eq(json_array_size(doc_list(finding.evidence, "methods")), 1);
	ck_assert(json_is_null(json_object_get(finding.evidence, "accepted")));
	finding_free(&finding);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conversation");
	TCase *tcase = tcase_create("checks");
	SRunner *runner;

	tcase_add_loop_test(tcase, each_conversation_has_its_finding, 0, CASES);
	tcase_add_loop_test(tcase, each_fault_has_words_that_fit, 0, CASES);
	tcase_add_test(tcase, the_first_address_that_is_silent_is_a_warning_beside);
	tcase_add_test(tcase, the_option_that_would_help_is_named);
	tcase_add_test(tcase, methods_and_accepted_always_stand_in_the_evidence);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
