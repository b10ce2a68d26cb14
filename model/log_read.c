#include "model/log_read.h"
#include "model/log_shape.h"
#include "model/log_values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 300, SHORTEST = 6 };

/* One attempt to connect. */
struct attempt {
	enum rehearsal_stage reached;
	const struct log_shape *fault;  /* the row that says most */
	const struct log_shape *behind; /* the same, less what only follows from a proxy's end */
	char message[MESSAGE_MAX], behind_message[MESSAGE_MAX], last[MESSAGE_MAX];
	bool login, maybe_login, ended;
	bool verbose, proxied, proxy_ended;
	bool answered; /* the server's own line came */
	int offers, agent_offers, accepts, absences;
	json_t *values; /* of its own lines */
};

struct reading {
	struct attempt now, before, failed; /* this one, the one before, the last that failed */
	int attempts;
	struct log_pairs pairs;
};

/* ---- attempts ---- */

static void
attempt_free(struct attempt *attempt)
{
	json_decref(attempt->values);
	*attempt = (struct attempt){ 0 };
}

static void
attempt_copy(const struct attempt *from, struct attempt *to)
{
	json_t *values = json_copy(from->values);

	attempt_free(to);
	*to = *from;
	to->values = values;
}

/* true when something is known of how it went. */
static bool
has_outcome(const struct attempt *attempt)
{
	return attempt->fault != NULL || attempt->login || attempt->maybe_login ||
	       attempt->reached > REHEARSAL_CONFIG;
}

static void
settle_attempt(struct reading *reading)
{
	if (!has_outcome(&reading->now))
		return;
	reading->attempts++;
	attempt_copy(&reading->now, &reading->before);
	if (reading->now.fault != NULL)
		attempt_copy(&reading->now, &reading->failed);
}

/* What a line said of the target holds for the attempts after it as well. */
static void
begin_attempt(struct reading *reading)
{
	static const char *const target[] = { "host",  "alias",       "address", "port",
					      "user",  "identity",    "jump",    "vm",
					      "group", "subscription" };
	json_t *values = json_object();

	settle_attempt(reading);
	for (size_t i = 0; i < sizeof(target) / sizeof(*target); i++)
		json_object_set(values, target[i], json_object_get(reading->now.values, target[i]));
	attempt_free(&reading->now);
	reading->now.values = values;
}

/* ---- one line ---- */

static void
keep_line(char to[MESSAGE_MAX], const char *at, size_t len)
{
	while (len > 0 && isspace((unsigned char)at[len - 1]))
		len--;
	if (len >= MESSAGE_MAX)
		len = MESSAGE_MAX - 1;
	memcpy(to, at, len);
	to[len] = '\0';
}

/* A fault before a login, or before a later stage, did not end that attempt: another address, or
 * another key, served. */
static void
forget_fault(struct attempt *attempt)
{
	attempt->fault = attempt->behind = NULL;
	attempt->ended = false;
}

static bool
is_proxy_end(const struct log_shape *row)
{
	return row->kind == LOG_SAYS && strcmp(row->word, "proxy-ended") == 0;
}

/* "Connection closed by UNKNOWN port 65535": what came right before was the proxy's fault, of which
 * a closed connection only follows. */
static void
on_proxy_end(struct reading *reading)
{
	struct attempt *now = &reading->now;

	now->proxied = now->proxy_ended = true;
	if (now->behind != NULL || reading->before.fault == NULL)
		return;
	now->behind = reading->before.fault;
	memcpy(now->behind_message, reading->before.message, MESSAGE_MAX);
	json_object_update_missing(now->values, reading->before.values);
	reading->attempts--;
}

/* "Connection closed by HOST" without a reason, as after a reason that the server gave. */
static bool
is_only_an_end(const struct log_shape *row)
{
	static const char *const words[] = { "closed-by", "reset-by", "closed", "reset" };

	for (size_t i = 0; row->kind == LOG_SAYS && i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(row->word, words[i]) == 0)
			return true;
	return false;
}

/* An end of another kind than the one before is a new attempt's, also where no beginning announces
 * it, as in what people paste. */
static bool
is_new_end(const struct attempt *now, const struct log_shape *row)
{
	return now->ended && (row->flags & LOG_ENDS) != 0 && now->fault != NULL &&
	       !is_only_an_end(row) && now->fault->stage != row->stage &&
	       now->fault->stage != REHEARSAL_PROXY && row->stage != REHEARSAL_PROXY &&
	       !now->proxied && !is_proxy_end(row);
}

static void
on_fault(struct reading *reading, const struct log_shape *row, const char *line, size_t len)
{
	struct attempt *now = &reading->now;

	if (now->login && (row->flags & LOG_SESSION) == 0)
		return;
	if (is_proxy_end(row))
		on_proxy_end(reading);
	if (now->fault == NULL || row < now->fault) {
		now->fault = row;
		keep_line(now->message, line, len);
	}
	/* a proxy that ends looks like a server that closes */
	if (row->stage != REHEARSAL_BANNER && (now->behind == NULL || row < now->behind)) {
		now->behind = row;
		keep_line(now->behind_message, line, len);
	}
	now->ended |= (row->flags & LOG_ENDS) != 0;
}

static void
on_step(struct attempt *now, const struct log_shape *row)
{
	now->verbose = true;
	now->answered |= row->stage == REHEARSAL_KEX;
	if (now->fault != NULL && now->fault->stage < row->stage && !now->proxied)
		forget_fault(now);
	if (row->stage > now->reached)
		now->reached = row->stage;
}

/* With a proxy, which as a rule is an ssh as well, only a login by way of it is the target's. */
static void
on_login(struct attempt *now, const struct log_shape *row)
{
	if (now->proxied && strstr(row->shape, "proxy") == NULL &&
	    strcmp(row->shape, "Last login: ") != 0)
		return;
	if ((row->flags & LOG_MAYBE) != 0) {
		now->maybe_login = true;
		return;
	}
	now->login = true;
	now->reached = REHEARSAL_AUTH;
	forget_fault(now);
}

static void
on_told(struct attempt *now, const struct log_match *match)
{
	static const char agent[] = " agent";
	const struct log_value *value = match->count > 0 ? &match->values[0] : NULL;

	if (log_value_is(match, "proxy"))
		now->proxied = true;
	else if (log_value_is(match, "offered"))
		now->offers++;
	else if (log_value_is(match, "absent"))
		now->absences++;
	else if (value == NULL || log_value_is(match, "accepted"))
		now->accepts += value != NULL;
	if (log_value_is(match, "offered") && value->len > strlen(agent) &&
	    memcmp(value->at + value->len - strlen(agent), agent, strlen(agent)) == 0)
		now->agent_offers++;
}

static void
on_row(struct reading *reading, const struct log_shape *row, const struct log_match *match,
       const char *line, size_t len)
{
	/* a jump host's ssh begins inside of the attempt */
	bool nested = reading->now.proxied && !reading->now.answered;

	if (row->kind == LOG_START && !nested)
		begin_attempt(reading);
	if ((row->kind == LOG_OWN || row->kind == LOG_SAYS) && is_new_end(&reading->now, row))
		begin_attempt(reading);
	log_values_keep(reading->now.values, match, reading->now.proxied && row->kind != LOG_TELLS);
	switch (row->kind) {
	case LOG_OWN:
	case LOG_SAYS:
		on_fault(reading, row, line + match->from, len - match->from);
		break;
	case LOG_STEP:
		on_step(&reading->now, row);
		break;
	case LOG_LOGIN:
		on_login(&reading->now, row);
		break;
	case LOG_TELLS:
		on_told(&reading->now, match);
		break;
	default:
		break;
	}
}

enum { CANDIDATES = 1024 }; /* more than there are rows */

/* The rows that may be in the line, in their order. */
static size_t
find_candidates(struct reading *reading, const char *lower, size_t len,
		const struct log_shape *ret[CANDIDATES])
{
	size_t count, found = 0;
	const struct log_shape *rows = log_shapes(&count);

	log_pairs_take(&reading->pairs, lower, len);
	for (size_t i = 0; i < count && found < CANDIDATES; i++)
		if (log_pairs_allow(&reading->pairs, &rows[i]))
			ret[found++] = &rows[i];
	return found;
}

static bool
is_kind(const struct log_shape *row, enum log_kind kind)
{
	return row->kind == kind || (kind == LOG_OWN && row->kind == LOG_SAYS);
}

/* Of rows of one kind the first one that fits speaks for the line; what begins an attempt goes
 * first. */
static void
read_line(struct reading *reading, const char *line, const char *lower, size_t len)
{
	static const enum log_kind order[] = { LOG_START, LOG_TELLS, LOG_STEP, LOG_LOGIN, LOG_OWN };
	const struct log_shape *rows[CANDIDATES];
	size_t count = find_candidates(reading, lower, len, rows);
	struct log_match match;

	if (memmem(lower, len, "debug1: ", 8) != NULL) {
		reading->now.verbose = true;
		keep_line(reading->now.last, line, len);
	}
	for (size_t k = 0; count > 0 && k < sizeof(order) / sizeof(*order); k++)
		for (size_t i = 0; i < count; i++) {
			if (!is_kind(rows[i], order[k]) ||
			    !log_shape_within(rows[i], line, lower, len, &match))
				continue;
			on_row(reading, rows[i], &match, line, len);
			if (order[k] != LOG_TELLS)
				break;
		}
}

static void
read_lines(struct reading *reading, const char *text)
{
	size_t len = strlen(text);
	char *lower = malloc(len + 1);

	for (size_t i = 0; lower != NULL && i <= len; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	for (size_t at = 0, n; lower != NULL && at < len; at += n + 1) {
		n = strcspn(text + at, "\n");
		if (n >= SHORTEST)
			read_line(reading, text + at, lower + at, n);
	}
	free(lower);
}

/* ---- the outcome ---- */

/* The last attempt counts; of one that has only begun nothing is known. A tool that goes through
 * several hosts has failed when one of them has. */
static const struct attempt *
deciding(const struct reading *reading)
{
	bool only_begun = !has_outcome(&reading->now) && has_outcome(&reading->before);
	const struct attempt *last = only_begun ? &reading->before : &reading->now;

	if (last->maybe_login && last->fault == NULL && !last->login &&
	    reading->failed.fault != NULL)
		return &reading->failed;
	return last;
}

static const char *
word_of(const struct log_shape *row)
{
	if (row == NULL)
		return NULL;
	return row->kind == LOG_OWN ? FACT_WORD(rehearsal_fault, row->fault) : row->word;
}

static json_t *
log_facts(const struct reading *reading, const struct attempt *attempt, const char *text)
{
	bool behind = attempt->proxied && attempt->behind != NULL;
	const struct log_shape *row = behind ? attempt->behind : attempt->fault;
	const char *message = behind ? attempt->behind_message : attempt->message;
	json_t *object = json_copy(attempt->values);

	fact_write(object, shape_of_log(),
		   &(const struct fact_log){ .state = FACT_KNOWN,
					     .client = log_client(text),
					     .windows = log_is_windows(text),
					     .verbose = attempt->verbose,
					     .attempts = reading->attempts,
					     .reached = attempt->reached,
					     .fault = word_of(row),
					     .login = attempt->login ||
						      (attempt->maybe_login && row == NULL),
					     .proxied = attempt->proxied,
					     .proxy_ended = attempt->proxy_ended,
					     .offers = attempt->offers,
					     .agent_offers = attempt->agent_offers,
					     .accepts = attempt->accepts,
					     .absences = attempt->absences });
	if (row == NULL)
		message = attempt->last;
	if (*message != '\0')
		FACT_PUT_BYTES(object, log, message, message, strlen(message));
	return object;
}

json_t *
log_read(const char *text)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	json_t *object;

	if (reading == NULL)
		return json_object();
	reading->now.values = json_object();
	read_lines(reading, text);
	if (has_outcome(&reading->now))
		reading->attempts++;
	object = log_facts(reading, deciding(reading), text);
	attempt_free(&reading->now);
	attempt_free(&reading->before);
	attempt_free(&reading->failed);
	free(reading);
	return object;
}
