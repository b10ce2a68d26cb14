#include "checks/key_damage.h"

#include <string.h>

/* Every defect word: its code, the repair's evidence key (NULL: none but a fresh copy), and what it
 * means. */
static const struct damage {
	const char *defect;
	enum code code;
	const char *fix, *words;
} damages[] = {
	{ "empty", CODE_KEY_NOT_A_KEY_FILE, NULL, "the file is empty" },
	{ "whitespace", CODE_KEY_NOT_A_KEY_FILE, NULL, "the file holds nothing but white space" },
	{ "nuls", CODE_KEY_NOT_A_KEY_FILE, NULL, "the file holds nothing but zero bytes" },
	{ "html", CODE_KEY_NOT_A_KEY_FILE, NULL,
	  "the file is a web page (a sign-in or error page saved in place of the key)" },
	{ "xml", CODE_KEY_NOT_A_KEY_FILE, NULL,
	  "the file is an XML document (an error page saved in place of the key)" },
	{ "path-instead-of-key", CODE_KEY_NOT_A_KEY_FILE, NULL,
	  "the file holds the path of a key, not a key" },
	{ "keyvault-reference", CODE_KEY_NOT_A_KEY_FILE, NULL,
	  "the file holds a reference to Key Vault, not a key" },
	{ "archive", CODE_KEY_NOT_A_KEY_FILE, NULL,
	  "the file is an archive; what it holds must be taken out of it first" },
	{ "known-hosts", CODE_KEY_NOT_A_KEY_FILE, NULL,
	  "the file is a list of the keys of hosts (known_hosts), not a key of yours" },
	{ "random", CODE_KEY_NOT_A_KEY_FILE, NULL, "the file holds no key" },
	{ "not-a-key", CODE_KEY_NOT_A_KEY_FILE, NULL, "the file holds no key" },
	{ "begin-only", CODE_KEY_TRUNCATED, NULL, "there is a BEGIN line and no key behind it" },
	{ "truncated", CODE_KEY_TRUNCATED, NULL, "the file is cut off" },
	{ "no-footer", CODE_KEY_TRUNCATED, "fix_footer", "the END line is missing" },
	{ "one-char-lost", CODE_KEY_DAMAGED, NULL, "a character of the key is missing" },
	{ "damaged", CODE_KEY_DAMAGED, NULL, "the key's bytes do not fit together" },
	{ "base64-of-file", CODE_KEY_BASE64_ENCODED, "fix_base64",
	  "the whole file is encoded in base64 once more" },
	{ "utf16le", CODE_KEY_UTF16_BOM, "fix_utf16", "the file is UTF-16" },
	{ "utf16be", CODE_KEY_UTF16_BOM, "fix_utf16", "the file is UTF-16" },
	{ "utf16le-nobom", CODE_KEY_UTF16_BOM, "fix_utf16le", "the file is UTF-16" },
	{ "utf16be-nobom", CODE_KEY_UTF16_BOM, "fix_utf16be", "the file is UTF-16" },
	{ "bom", CODE_KEY_UTF16_BOM, "fix_bom", "the file begins with a byte order mark" },
	{ "crlf", CODE_KEY_CRLF, NULL, "the lines end as on Windows (CR LF)" },
	{ "dotenv", CODE_KEY_NEWLINES_LOST, "fix_joined",
	  "the key is wrapped into a variable's line" },
	{ "json-quoted", CODE_KEY_NEWLINES_LOST, "fix_joined", "the key is a quoted JSON text" },
	{ "newline-escaped", CODE_KEY_NEWLINES_LOST, "fix_joined",
	  "the line ends became the two characters \\n" },
	{ "newlines-lost", CODE_KEY_NEWLINES_LOST, "fix_joined", "the line ends are gone" },
	{ "newline-to-space", CODE_KEY_NEWLINES_LOST, "fix_joined", "the line ends became blanks" },
	{ "cr-only", CODE_KEY_NEWLINES_LOST, "fix_cr", "the lines end in CR alone" },
	{ "quoted-mail", CODE_KEY_NEWLINES_LOST, "fix_mail", "every line is quoted as in a mail" },
	{ "indented", CODE_KEY_NEWLINES_LOST, "fix_indent", "every line is indented" },
	{ "body-only", CODE_KEY_DAMAGED, "fix_body", "the BEGIN and END lines are missing" },
	{ "no-header", CODE_KEY_DAMAGED, NULL, "the BEGIN line is missing" },
	{ "wrong-label", CODE_KEY_DAMAGED, "fix_label",
	  "the BEGIN line names another format than the key has" },
	{ "four-dashes", CODE_KEY_DAMAGED, "fix_dashes",
	  "the BEGIN and END lines have too few dashes" },
	{ "em-dashes", CODE_KEY_DAMAGED, "fix_dashes",
	  "the dashes of the BEGIN and END lines are typographic ones" },
	{ "lowercase-label", CODE_KEY_DAMAGED, "fix_case",
	  "the BEGIN and END lines are not in capitals" },
	{ "plus-to-space", CODE_KEY_DAMAGED, "fix_plus", "every + became a blank" },
	{ "base64url", CODE_KEY_DAMAGED, "fix_url",
	  "the key is in the URL form of base64 (- and _ for + and /)" },
	{ "zero-width-space", CODE_KEY_DAMAGED, "fix_text",
	  "invisible characters stand in front of the key" },
	{ "markdown-fence", CODE_KEY_DAMAGED, "fix_text",
	  "the key stands between Markdown fences" },
	{ "leading-text", CODE_KEY_DAMAGED, "fix_text", "text stands in front of the key" },
	{ "leading-blank-lines", CODE_KEY_DAMAGED, "fix_text",
	  "blank lines stand in front of the key" },
	{ "trailing-spaces", CODE_KEY_DAMAGED, "fix_trailing", "blanks stand behind the lines" },
	{ "no-final-newline", CODE_KEY_DAMAGED, "fix_newline", "the last line has no end" },
	{ "certificate-first", CODE_KEY_DAMAGED, "fix_text",
	  "a certificate stands in front of the key" },
};

/* The label of the BEGIN line that belongs to the format. */
static const char *
label_of(const char *format)
{
	static const struct {
		const char *format, *label;
	} labels[] = { { "openssh-key-v1", "OPENSSH PRIVATE KEY" },
		       { "pkcs1-pem", "RSA PRIVATE KEY" },
		       { "sec1-pem", "EC PRIVATE KEY" },
		       { "dsa-pem", "DSA PRIVATE KEY" },
		       { "pkcs8-pem", "PRIVATE KEY" },
		       { "pkcs8-enc-pem", "ENCRYPTED PRIVATE KEY" } };

	for (size_t i = 0; format != NULL && i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strcmp(labels[i].format, format) == 0)
			return labels[i].label;
	return NULL;
}

static const struct damage *
find(const char *defect)
{
	for (size_t i = 0; defect != NULL && i < sizeof(damages) / sizeof(damages[0]); i++)
		if (strcmp(damages[i].defect, defect) == 0)
			return &damages[i];
	return NULL;
}

/* A repair mends its own defect and a few that it takes along; where others met, a careful copy is
 * the honest advice. */
static bool
repairable(const struct fact_key *key, const struct damage *damage)
{
	static const struct {
		const char *fix, *along;
	} takes[] = {
		{ "fix_joined", "dotenv json-quoted newline-escaped newlines-lost newline-to-space "
				"no-final-newline base64-one-line crlf trailing-garbage" },
		{ "fix_utf16", "crlf" },
		{ "fix_utf16le", "crlf" },
		{ "fix_utf16be", "crlf" },
		{ "fix_text", "markdown-fence leading-text leading-blank-lines trailing-garbage "
			      "zero-width-space certificate-first certificate-after" },
	};
	const char *along = "";

	if (key->encrypted == YES && damage->fix != NULL &&
	    strcmp(damage->fix, "fix_joined") == 0 && strcmp(key->format, "openssh-key-v1") != 0 &&
	    strcmp(key->format, "pkcs8-enc-pem") != 0)
		return false; /* Proc-Type and DEK-Info need lines of their own */
	if (damage->fix == NULL || label_of(key->format) == NULL)
		return damage->code == CODE_KEY_UTF16_BOM ||
		       damage->code == CODE_KEY_BASE64_ENCODED;
	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++)
		if (strcmp(damage->fix, takes[i].fix) == 0)
			along = takes[i].along;
	for (size_t i = 0; i < key->defects_count; i++)
		if (strcmp(key->defects[i], damage->defect) != 0 &&
		    strstr(along, key->defects[i]) == NULL)
			return false;
	return true;
}

static const char *
other_words(const char *format)
{
	static const struct {
		const char *start, *words;
	} others[] = { { "pkcs12", "a PKCS#12 (PFX) file" },
		       { "x509", "a certificate" },
		       { "pkcs10", "a request for a certificate" },
		       { "pkcs7", "a bundle of certificates" },
		       { "crl", "a list of revoked certificates" },
		       { "ec-parameters", "the parameters of a curve, without a key" },
		       { "dsa-parameters", "the parameters of keys, without a key" },
		       { "dh-parameters", "the parameters of key exchanges, without a key" } };

	for (size_t i = 0; format != NULL && i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(format, others[i].start, strlen(others[i].start)) == 0)
			return others[i].words;
	return "something else";
}

int
key_damage(const struct fact_key *key, struct finding *finding)
{
	const struct damage *damage = find(key->defect);
	bool pkcs12 = key->format != NULL && strcmp(key->format, "pkcs12") == 0;
	bool other =
	    key->kind == KEY_OTHER && key->format != NULL && strcmp(key->format, "unknown") != 0;

	if (damage != NULL && !other && damage->code != CODE_KEY_NOT_A_KEY_FILE) {
		if (damage->fix != NULL && repairable(key, damage))
			finding_text(finding, damage->fix, key->defect);
		else
			finding_text(finding, "no_fix", key->defect);
		finding_text(finding, "label", label_of(key->format));
		return finding_set(finding, FAIL, damage->code, "ssh cannot load %s: %s", key->path,
				   damage->words);
	}
	if (damage != NULL && !other)
		return finding_set(finding, FAIL, damage->code, "%s is no private key: %s",
				   key->path, damage->words);
	if (key->kind == KEY_PRIVATE)
		return finding_set(finding, FAIL, CODE_KEY_DAMAGED, "ssh cannot load %s",
				   key->path);
	if (pkcs12)
		finding_text(finding, "pkcs12", "yes");
	return finding_set(finding, FAIL, CODE_KEY_NOT_A_KEY_FILE, "%s is no private key: it is %s",
			   key->path, other_words(key->format));
}
