#include "facts/file.h"
#include "loop/leave.h"
#include "ssh/probe/engine.h"
#include "ssh/probe/ssh_log.h"
#include "ssh/probe/wire_client.h"
#include "ssh/probe/wire_keys.h"
#include "ssh/probe/wire_kex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The installed ssh asks where libssh2 cannot: with public halves only, so that it can offer keys
 * but never sign with one, and with a known_hosts file of its own that is thrown away. */
enum { OPTIONS_MAX = 48, PATH_SIZE = 256, HOST_KEY_LINE_MAX = 1 << 16 };

struct wire_ssh {
	char dir[PATH_SIZE];
	char known[PATH_SIZE], pub[WIRE_QUERIES][PATH_SIZE];
	char *options[OPTIONS_MAX];
	size_t option_count;
	const char *argv[OPTIONS_MAX * 2 + 16];
};

static void
option_add(struct wire_ssh *ssh, const char *name, const char *value)
{
	if (value != NULL && ssh->option_count < OPTIONS_MAX &&
	    (ssh->options[ssh->option_count] = doc_fmt("%s=%s", name, value)) != NULL)
		ssh->option_count++;
}

static void
ssh_free(void *state)
{
	struct wire_ssh *ssh = state;

	if (ssh == NULL)
		return;
	for (size_t i = 0; i < ssh->option_count; i++)
		free(ssh->options[i]);
	for (size_t i = 0; i < WIRE_QUERIES; i++)
		if (ssh->pub[i][0] != '\0') {
			unlink(ssh->pub[i]);
			leave_path_gone(ssh->pub[i]);
		}
	if (ssh->known[0] != '\0') {
		unlink(ssh->known);
		leave_path_gone(ssh->known);
	}
	if (ssh->dir[0] != '\0') {
		rmdir(ssh->dir);
		leave_path_gone(ssh->dir);
	}
	free(ssh);
}

/* Writes "TYPE BASE64" where ssh will look for a key: the private half is not there, so nothing can
 * be signed. */
static int
public_write(const char *path, const json_t *identity)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s %s\n", doc_str(identity, "type"), doc_str(identity, "public")) < 0)
		r = -EIO;
	close(fd);
	return r;
}

/* $TMPDIR, unless ssh would read its path as something else: its options take quotes, tokens and
 * variables, by rules that change with its version. */
static const char *
temporary_folder(void)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+@,:";
	const char *folder = getenv("TMPDIR");

	if (folder == NULL || *folder != '/' || folder[strspn(folder, plain)] != '\0')
		return "/tmp";
	return folder;
}

static struct wire_ssh *
ssh_new(const struct wire *wire)
{
	struct wire_ssh *ssh = calloc(1, sizeof(*ssh));

	if (ssh == NULL)
		return NULL;
	if (snprintf(ssh->dir, sizeof(ssh->dir), "%s/azssh-doctor-XXXXXX", temporary_folder()) >=
		(int)sizeof(ssh->dir) - 16 ||
	    mkdtemp(ssh->dir) == NULL) {
		ssh->dir[0] = '\0';
		ssh_free(ssh);
		return NULL;
	}
	leave_path(ssh->dir);
	snprintf(ssh->known, sizeof(ssh->known), "%.200s/known", ssh->dir);
	leave_path(ssh->known);
	for (size_t i = 0; i < wire->key_count; i++) {
		snprintf(ssh->pub[i], sizeof(ssh->pub[i]), "%.200s/key%u", ssh->dir, (unsigned)i);
		leave_path(ssh->pub[i]);
		if (public_write(ssh->pub[i], wire->keys[i].identity) < 0) {
			ssh_free(ssh);
			return NULL;
		}
	}
	return ssh;
}

static void
options_fill(struct wire_ssh *ssh, const struct wire *wire)
{
	static const char *const fixed[][2] = { { "BatchMode", "yes" },
						{ "StrictHostKeyChecking", "accept-new" },
						{ "GlobalKnownHostsFile", "/dev/null" },
						{ "HashKnownHosts", "no" },
						{ "UpdateHostKeys", "no" },
						{ "IdentitiesOnly", "yes" },
						{ "IdentityAgent", "none" },
						{ "CertificateFile", "none" },
						{ "ControlPath", "none" },
						{ "ControlMaster", "no" },
						{ "PreferredAuthentications", "publickey" },
						{ "PubkeyAuthentication", "yes" },
						{ "ConnectTimeout", "5" },
						{ "ConnectionAttempts", "1" },
						{ "PermitLocalCommand", "no" },
						{ "ClearAllForwardings", "yes" },
						{ "ForwardAgent", "no" } };
	const json_t *config = facts_section(wire->facts, FACT_SSH_CONFIG);

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		option_add(ssh, fixed[i][0], fixed[i][1]);
	option_add(ssh, "ProxyCommand", wire->proxy_command != NULL ? wire->proxy_command : "none");
	if (wire->proxy_command != NULL) /* it may name the host as it was typed (%n) */
		option_add(ssh, "HostName", wire->host);
	option_add(ssh, "UserKnownHostsFile", ssh->known);
	option_add(ssh, "KexAlgorithms", doc_str(config, "options.kexalgorithms"));
	option_add(ssh, "Ciphers", doc_str(config, "options.ciphers"));
	option_add(ssh, "MACs", doc_str(config, "options.macs"));
	option_add(ssh, "PubkeyAcceptedAlgorithms",
		   doc_str(config, "options.pubkeyacceptedalgorithms"));
	if (wire->offer_known && wire->client_host_key[0] != '\0')
		option_add(ssh, "HostKeyAlgorithms", wire->client_host_key);
	if (wire->key_count == 0)
		option_add(ssh, "IdentityFile", "none");
	for (size_t i = 0; i < wire->key_count; i++)
		option_add(ssh, "IdentityFile", ssh->pub[i]);
}

/* The host key that ssh has written down: the last two words of the line. */
static void
host_key_take(struct wire *wire, const char *path)
{
	struct buffer text = { 0 }, blob = { 0 };
	char *at;

	if (file_read(path, HOST_KEY_LINE_MAX, &text, NULL) < 0)
		return;
	text.at[strcspn((char *)text.at, "\r\n")] = '\0';
	at = strrchr((char *)text.at, ' ');
	if (at != NULL && base64_decode(bytes_of(at + 1), 0, &blob) == 0 && blob.len > 0)
		wire_host_key_add(wire, buffer_bytes(&blob));
	buffer_free(&text);
	buffer_free(&blob);
}

static void
answers_take(struct wire *wire, const struct wire_ssh *ssh, const char *log)
{
	char methods[512], mark[PATH_SIZE + 64];
	struct bytes all, name;

	wire->methods = wire->methods != NULL ? wire->methods : json_array();
	if (ssh_log_line(log, "Authentications that can continue: ", methods, sizeof(methods))) {
		json_array_clear(wire->methods);
		for (all = bytes_of(methods); names_next(&all, &name);)
			json_array_append_new(wire->methods,
					      doc_text((const char *)name.at, name.len));
	} else if (ssh_log_line(log, "Authenticated to ", NULL, 0)) {
		doc_append_str(wire->methods, "none");
	}
	for (size_t i = 0; i < wire->key_count; i++) {
		snprintf(mark, sizeof(mark), "Server accepts key: %s ", ssh->pub[i]);
		if (ssh_log_line(log, mark, NULL, 0)) {
			wire->keys[i].answer = "accepted";
			break;
		}
		snprintf(mark, sizeof(mark), "Offering public key: %s ", ssh->pub[i]);
		wire->keys[i].answer = ssh_log_line(log, mark, NULL, 0) ? "denied" : "unknown";
	}
}

/* How the key exchange ended, as far as ssh's end tells of the server; NULL when it only tells of
 * ssh itself: killed, or stopped by something on this computer. */
static const char *
kex_result(const struct child_reply *reply)
{
	static const char *const ends[] = { "Connection closed by ",
					    "Connection reset by ",
					    "kex_exchange_identification: ",
					    "ssh_exchange_identification: ",
					    "ssh_dispatch_run_fatal: ",
					    "Received disconnect from ",
					    "Disconnected from ",
					    "banner exchange: " };

	if (reply->error == -ETIMEDOUT)
		return ssh_log_line(reply->err, "SSH2_MSG_KEXINIT sent", NULL, 0) ? "stalled"
										  : NULL;
	for (size_t i = 0; reply->error == 0 && i < sizeof(ends) / sizeof(*ends); i++)
		if (ssh_log_line(reply->err, ends[i], NULL, 0))
			return "closed";
	return NULL;
}

/* Nothing is known of the server: ssh did not run, or did not run to its end. */
static void
end_without_ssh(struct wire *wire, const struct child_reply *reply, const char *words)
{
	char reason[SSH_LOG_LINE + 96];

	if (reply->error == -ETIMEDOUT)
		snprintf(reason, sizeof(reason), "the installed ssh did not come to an end");
	else if (reply->error != 0)
		snprintf(reason, sizeof(reason), "the installed ssh could not be run: %s",
			 strerror(-reply->error));
	else if (reply->status > 128 && reply->status != 255)
		snprintf(reason, sizeof(reason), "the installed ssh was ended by signal %d",
			 reply->status - 128);
	else
		snprintf(reason, sizeof(reason),
			 "the installed ssh ended before the server sent anything%s%s",
			 *words != '\0' ? ": " : "", words);
	wire_end(wire, "error", reason);
}

static void
on_asked(void *ctx, const struct child_reply *reply)
{
	struct wire *wire = ctx;
	struct wire_ssh *ssh = wire->engine_state;
	char words[SSH_LOG_LINE] = "", reason[SSH_LOG_LINE + 64];

	if (reply->error == -ECANCELED) {
		wire_end(wire, "deadline", "the time allowed was over");
		return;
	}
	/* ssh writes the key down before it has verified the signature */
	if (!wire->have.host_key && ssh_log_line(reply->err, "SSH2_MSG_NEWKEYS received", NULL, 0))
		host_key_take(wire, ssh->known);
	if (wire->have.host_key && !wire->have.kex)
		wire_kex_settle(wire, "done", "ssh");
	if (ssh_log_line(reply->err, "Authentications that can continue: ", NULL, 0) ||
	    ssh_log_line(reply->err, "Authenticated to ", NULL, 0)) {
		answers_take(wire, ssh, reply->err);
		wire_auth_settle(wire, "ssh");
	}
	if (!ssh_log_line(reply->err, "kex_exchange_identification: banner line 0: ", words,
			  sizeof(words)))
		ssh_log_last_words(reply->err, words);
	if (!wire->have.kex && kex_result(reply) == NULL) {
		end_without_ssh(wire, reply, words);
		return;
	}
	if (!wire->have.kex)
		wire_kex_settle(wire, kex_result(reply), "ssh");
	snprintf(reason, sizeof(reason), "the installed ssh did not get that far%s%s",
		 *words != '\0' ? ": " : "", words);
	wire_end(wire, "not-reached", reason);
}

/* Nobody here can carry out what the server wants: its lists are all there is. */
static void
give_up(struct wire *wire, const char *reason)
{
	if (!wire->have.kex)
		wire_kex_settle(wire,
				wire->offer_known && wire->agreed.missing == NULL ? "agreed"
										  : "no-common",
				NULL);
	wire_end(wire, "library", reason);
}

static const char *
name_typed(const struct wire *wire)
{
	const char *name = FACT_GET(facts_section(wire->facts, FACT_SSH_CONFIG), ssh_config, name);

	return name != NULL ? name : wire->host;
}

static void
ssh_start(struct wire *wire, struct bytes host_key)
{
	struct child_request request = { .timeout_ms = 2 * wire->step_ms, .max_bytes = 1 << 20 };
	char port[16];
	size_t n = 0;
	struct wire_ssh *ssh;

	(void)host_key; /* ssh chooses as it would for the user */
	if (wire->offer_known && wire->agreed.missing != NULL) {
		give_up(wire, "the installed ssh and the server have no algorithm in common");
		return;
	}
	if (wire->by_jump) {
		give_up(wire, "only the installed ssh knows the server's algorithms, and it is not "
			      "asked through a jump host");
		return;
	}
	wire_keys_pick(wire);
	if (!wire->offer_known || (wire->engine_state = ssh = ssh_new(wire)) == NULL) {
		give_up(wire,
			"the server's algorithms need the installed ssh, which could not be used");
		return;
	}
	options_fill(ssh, wire);
	snprintf(port, sizeof(port), "%d", wire->port);
	ssh->argv[n++] = "ssh";
	ssh->argv[n++] = "-vN";
	ssh->argv[n++] = "-F";
	ssh->argv[n++] = "none";
	for (size_t i = 0; i < ssh->option_count; i++) {
		ssh->argv[n++] = "-o";
		ssh->argv[n++] = ssh->options[i];
	}
	ssh->argv[n++] = "-p";
	ssh->argv[n++] = port;
	ssh->argv[n++] = "-l";
	ssh->argv[n++] = wire->user;
	ssh->argv[n++] = "--";
	ssh->argv[n++] =
	    wire->proxy_command != NULL ? name_typed(wire) : wire->addresses[wire->address].text;
	request.argv = ssh->argv;
	request.user_env = request.unattended = wire->proxy_command != NULL;
	wire_until(wire, 2 * wire->step_ms);
	wire->connections++;
	if (loop_child(wire->loop, &request, on_asked, wire) == 0)
		ssh_started(wire->facts, wire->proxy_command != NULL ? 2 : 1);
	else
		give_up(wire, "the installed ssh could not be started");
}

const struct wire_engine wire_engine_ssh = { "ssh", ssh_start, ssh_free };
