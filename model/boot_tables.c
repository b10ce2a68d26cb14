/* The blocks that cloud-init prints on the console: host keys, the keys installed for users, the
 * devices and their addresses. Kernel messages may stand between their lines. */
#include "model/boot_log.h"
#include "model/prefix.h"
#include "model/pubkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 16, USERS_MAX = 16, ADDRESSES_MAX = 32 };

void
boot_tables_begin(struct boot_tables *tables)
{
	*tables = (struct boot_tables){ .keys = json_array(),
					.users = json_array(),
					.addresses = json_array() };
}

/* Keys are printed at the first boot of an instance alone, and hold from then on. */
void
boot_tables_boot(struct boot_tables *tables)
{
	tables->in_prints = tables->in_keys = tables->in_users = tables->in_devices = false;
	tables->devices_seen = false;
	json_array_clear(tables->addresses);
}

/* ---- host keys ---- */

static void
add_key(struct boot_tables *tables, const char *type, const char *fingerprint)
{
	const json_t *key;
	size_t i;

	json_array_foreach (tables->keys, i, key)
		if (doc_same(FACT_GET(key, proof_key, fingerprint), fingerprint))
			return;
	if (i < KEYS_MAX)
		json_array_append_new(
		    tables->keys, FACT_OBJECT(proof_key, .type = type, .fingerprint = fingerprint));
}

/* "256 SHA256:... root@myvm (ED25519)" behind whatever the logger puts in front. */
static void
take_print(struct boot_tables *tables, const struct boot_line *line)
{
	const char *print = strstr(line->text, " SHA256:"), *open = strrchr(line->text, '(');
	const struct pubkey_type *type;
	char text[FINGERPRINT_SIZE];
	const char *begin = print;
	size_t run;
	unsigned bits;

	if (print == NULL || open == NULL || open < print ||
	    (run = strcspn(print + 1, " ")) != 7 + 43)
		return;
	while (begin > line->text && strchr("0123456789", begin[-1]) != NULL)
		begin--;
	bits = (unsigned)strtoul(begin, NULL, 10);
	type = pubkey_type_find(
	    (struct bytes){ (const unsigned char *)open + 1, strcspn(open + 1, ")") }, bits);
	if (type == NULL)
		return;
	memcpy(text, print + 1, run);
	text[run] = '\0';
	add_key(tables, type->name, text);
}

static void
take_key(struct boot_tables *tables, const struct boot_line *line)
{
	char text[FINGERPRINT_SIZE];
	struct pubkey key = { 0 };

	if (pubkey_type_word(line->text + line->begin, strcspn(line->text + line->begin, " ")) &&
	    pubkey_from_line(line->text + line->begin, line->len - line->begin, &key, NULL) == 0 &&
	    !key.cert)
		add_key(tables, key.type, pubkey_fingerprint(buffer_bytes(&key.blob), text));
	pubkey_free(&key);
}

/* ---- the keys of users ---- */

/* "ci-info: +++Authorized keys from /home/me/.ssh/authorized_keys for user me+++" */
static void
begin_user(struct boot_tables *tables, const struct boot_line *line)
{
	const char *user = strstr(line->text, " for user ");
	size_t len, i;
	json_t *one, *other;

	tables->in_users = false;
	if (user == NULL || json_array_size(tables->users) == USERS_MAX)
		return;
	user += strlen(" for user ");
	len = strcspn(user, "+ .");
	if (len == 0)
		return;
	one = json_object();
	FACT_PUT_BYTES(one, boot_user, user, user, len);
	FACT_PUT_JSON(one, boot_user, keys, json_array());
	json_array_foreach (tables->users, i, other) /* the last block holds */
		if (strcmp(FACT_GET(other, boot_user, user), FACT_GET(one, boot_user, user)) == 0) {
			json_array_remove(tables->users, i);
			break;
		}
	json_array_append_new(tables->users, one);
	tables->in_users = true;
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* "aa:bb:..." of a SHA-256, as cloud-init writes it; NULL for anything else. */
static const char *
print_of_hex(const char *hex, char ret[static FINGERPRINT_SIZE])
{
	enum { BYTES = 32 };
	unsigned char bytes[BYTES];
	char *text;

	for (size_t i = 0; i < BYTES; i++) {
		int high = hex_digit(hex[3 * i]), low = high < 0 ? -1 : hex_digit(hex[3 * i + 1]);

		if (low < 0 || (i + 1 < BYTES && hex[3 * i + 2] != ':'))
			return NULL;
		bytes[i] = (unsigned char)(high * 16 + low);
	}
	text = base64_encode((struct bytes){ bytes, BYTES }, BASE64_LOOSE);
	if (text == NULL)
		return NULL;
	snprintf(ret, FINGERPRINT_SIZE, "SHA256:%s", text);
	free(text);
	return ret;
}

static void
take_user_key(struct boot_tables *tables, const struct boot_line *line)
{
	json_t *user = json_array_get(tables->users, json_array_size(tables->users) - 1),
	       *keys = FACT_JSON(user, boot_user, keys);
	const char *cell = strchr(line->low, '|'), *print;
	char text[FINGERPRINT_SIZE];

	if (cell == NULL || (cell = strchr(cell + 1, '|')) == NULL ||
	    json_array_size(keys) == KEYS_MAX)
		return;
	cell += 1 + strspn(cell + 1, " ");
	if ((print = print_of_hex(cell, text)) != NULL)
		doc_append_str(keys, print);
}

/* ---- addresses ---- */

/* The text of the n-th cell of a table's row, trimmed; "" when there is none. */
static const char *
cell_of(const struct boot_line *line, size_t n, char ret[static 64])
{
	const char *at = strchr(line->low, '|');
	size_t len;

	*ret = '\0';
	while (at != NULL && n-- > 0)
		at = strchr(at + 1, '|');
	if (at == NULL)
		return ret;
	at += 1 + strspn(at + 1, " ");
	len = strcspn(at, "|");
	while (len > 0 && at[len - 1] == ' ')
		len--;
	if (len < 64) {
		memcpy(ret, at, len);
		ret[len] = '\0';
	}
	return ret;
}

/* "| eth0 | True | 10.0.0.4 | 255.255.255.0 | global | 00:0d:3a:.. |" */
static void
take_device(struct boot_tables *tables, const struct boot_line *line)
{
	char device[64], address[64];
	struct ip ip;

	cell_of(line, 0, device);
	cell_of(line, 2, address);
	if (*device == '\0' || strcmp(device, "device") == 0 || strcmp(device, "lo") == 0)
		return;
	tables->devices_seen = true;
	address[strcspn(address, "/")] = '\0';
	if (ip_parse(address, &ip) == 0 && strncmp(address, "fe80:", 5) != 0 &&
	    json_array_size(tables->addresses) < ADDRESSES_MAX)
		doc_append_str(tables->addresses, address);
}

/* ---- which block a line belongs to ---- */

void
boot_tables_line(struct boot_tables *tables, const struct boot_line *line)
{
	const char *low = line->low;

	if (strstr(low, "-----begin ssh host key fingerprints-----") != NULL) {
		json_array_clear(tables->keys); /* the last block holds */
		tables->in_prints = tables->prints_seen = true;
	} else if (strstr(low, "-----end ssh host key fingerprints-----") != NULL) {
		tables->in_prints = false;
	} else if (strstr(low, "-----begin ssh host key keys-----") != NULL) {
		if (!tables->prints_seen) /* else these are the same keys once more */
			json_array_clear(tables->keys);
		tables->in_prints = tables->prints_seen = false;
		tables->in_keys = true;
	} else if (strstr(low, "-----end ssh host key keys-----") != NULL) {
		tables->in_keys = false;
	} else if (strstr(low, "authorized keys from ") != NULL ||
		   strstr(low, "no authorized ssh keys fingerprints found for user ") != NULL) {
		tables->in_devices = false;
		begin_user(tables, line);
	} else if (strstr(low, "net device info") != NULL) {
		tables->in_devices = true;
		tables->in_users = false;
		json_array_clear(tables->addresses);
	} else if (strstr(low, "route ipv4 info") != NULL ||
		   strstr(low, "route ipv6 info") != NULL) {
		tables->in_devices = false;
	} else if (tables->in_prints) {
		take_print(tables, line);
	} else if (tables->in_keys) {
		take_key(tables, line);
	} else if (tables->in_users) {
		take_user_key(tables, line);
	} else if (tables->in_devices && strchr(low, '|') != NULL) {
		take_device(tables, line);
	}
}
