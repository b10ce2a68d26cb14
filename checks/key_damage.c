#include "checks/key_damage.h"

#include <string.h>

/* The code of each defect, the evidence key of its repair (NULL: none but a fresh copy), and what
 * it means; without words: ssh loads the key all the same. */
static const struct damage {
	enum code code;
	const char *fix, *words;
} damages[DEFECT_TRAILING_GARBAGE + 1] = {
	[DEFECT_EMPTY] = { CODE_KEY_NOT_A_KEY_FILE, NULL, "the file is empty" },
	[DEFECT_WHITESPACE] = { CODE_KEY_NOT_A_KEY_FILE, NULL,
				"the file holds nothing but white space" },
	[DEFECT_NULS] = { CODE_KEY_NOT_A_KEY_FILE, NULL, "the file holds nothing but zero bytes" },
	[DEFECT_HTML] = { CODE_KEY_NOT_A_KEY_FILE, NULL,
			  "the file is a web page (a sign-in or error page saved instead of the "
			  "key)" },
	[DEFECT_XML] = { CODE_KEY_NOT_A_KEY_FILE, NULL,
			 "the file is an XML document (an error page saved instead of the key)" },
	[DEFECT_PATH] = { CODE_KEY_NOT_A_KEY_FILE, NULL,
			  "the file holds the path of a key, not a key" },
	[DEFECT_KEYVAULT] = { CODE_KEY_NOT_A_KEY_FILE, NULL,
			      "the file holds a reference to Key Vault, not a key" },
	[DEFECT_ARCHIVE] = { CODE_KEY_NOT_A_KEY_FILE, NULL,
			     "the file is an archive; what it holds must be taken out of it "
			     "first" },
	[DEFECT_KNOWN_HOSTS] = { CODE_KEY_NOT_A_KEY_FILE, NULL,
				 "the file is a list of the keys of hosts (known_hosts), not a key "
				 "of yours" },
	[DEFECT_RANDOM] = { CODE_KEY_NOT_A_KEY_FILE, NULL, "the file holds no key" },
	[DEFECT_NOT_A_KEY] = { CODE_KEY_NOT_A_KEY_FILE, NULL, "the file holds no key" },
	[DEFECT_BEGIN_ONLY] = { CODE_KEY_TRUNCATED, NULL,
				"there is a BEGIN line and no key behind it" },
	[DEFECT_TRUNCATED] = { CODE_KEY_TRUNCATED, NULL, "the file is cut off" },
	[DEFECT_NO_FOOTER] = { CODE_KEY_TRUNCATED, "fix_footer", "the END line is missing" },
	[DEFECT_ONE_CHAR_LOST] = { CODE_KEY_DAMAGED, NULL, "a character of the key is missing" },
	[DEFECT_DAMAGED] = { CODE_KEY_DAMAGED, NULL, "the key's bytes do not fit together" },
	[DEFECT_BASE64_OF_FILE] = { CODE_KEY_BASE64_ENCODED, "fix_base64",
				    "the whole file is encoded in base64 once more" },
	[DEFECT_UTF16LE] = { CODE_KEY_UTF16_BOM, "fix_utf16", "the file is UTF-16" },
	[DEFECT_UTF16BE] = { CODE_KEY_UTF16_BOM, "fix_utf16", "the file is UTF-16" },
	[DEFECT_UTF16LE_NOBOM] = { CODE_KEY_UTF16_BOM, "fix_utf16le", "the file is UTF-16" },
	[DEFECT_UTF16BE_NOBOM] = { CODE_KEY_UTF16_BOM, "fix_utf16be", "the file is UTF-16" },
	[DEFECT_BOM] = { CODE_KEY_UTF16_BOM, "fix_bom", "the file begins with a byte order mark" },
	[DEFECT_CRLF] = { CODE_KEY_CRLF, NULL, "the lines end as on Windows (CR LF)" },
	[DEFECT_DOTENV] = { CODE_KEY_NEWLINES_LOST, "fix_joined",
			    "the key is wrapped into a variable's line" },
	[DEFECT_JSON_QUOTED] = { CODE_KEY_NEWLINES_LOST, "fix_joined",
				 "the key is a quoted JSON text" },
	[DEFECT_NEWLINE_ESCAPED] = { CODE_KEY_NEWLINES_LOST, "fix_joined",
				     "the line ends became the two characters \\n" },
	[DEFECT_NEWLINES_LOST] = { CODE_KEY_NEWLINES_LOST, "fix_joined", "the line ends are gone" },
	[DEFECT_NEWLINE_TO_SPACE] = { CODE_KEY_NEWLINES_LOST, "fix_joined",
				      "the line ends became blanks" },
	[DEFECT_CR_ONLY] = { CODE_KEY_NEWLINES_LOST, "fix_cr", "the lines end in CR alone" },
	[DEFECT_QUOTED_MAIL] = { CODE_KEY_NEWLINES_LOST, "fix_mail",
				 "every line is quoted as in a mail" },
	[DEFECT_INDENTED] = { CODE_KEY_NEWLINES_LOST, "fix_indent", "every line is indented" },
	[DEFECT_BODY_ONLY] = { CODE_KEY_DAMAGED, "fix_body",
			       "the BEGIN and END lines are missing" },
	[DEFECT_NO_HEADER] = { CODE_KEY_DAMAGED, NULL, "the BEGIN line is missing" },
	[DEFECT_WRONG_LABEL] = { CODE_KEY_DAMAGED, "fix_label",
				 "the BEGIN line names another format than the key has" },
	[DEFECT_FOUR_DASHES] = { CODE_KEY_DAMAGED, "fix_dashes",
				 "the BEGIN and END lines have too few dashes" },
	[DEFECT_EM_DASHES] = { CODE_KEY_DAMAGED, "fix_dashes",
			       "the dashes of the BEGIN and END lines are typographic ones" },
	[DEFECT_LOWERCASE_LABEL] = { CODE_KEY_DAMAGED, "fix_case",
				     "the BEGIN and END lines are not in capitals" },
	[DEFECT_PLUS_TO_SPACE] = { CODE_KEY_DAMAGED, "fix_plus", "every + became a blank" },
	[DEFECT_BASE64URL] = { CODE_KEY_DAMAGED, "fix_url",
			       "the key is in the URL form of base64 (- and _ for + and /)" },
	[DEFECT_ZERO_WIDTH] = { CODE_KEY_DAMAGED, "fix_text",
				"there are invisible characters before the key" },
	[DEFECT_MARKDOWN_FENCE] = { CODE_KEY_DAMAGED, "fix_text",
				    "the key stands between Markdown fences" },
	[DEFECT_LEADING_TEXT] = { CODE_KEY_DAMAGED, "fix_text", "there is text before the key" },
	[DEFECT_LEADING_BLANK] = { CODE_KEY_DAMAGED, "fix_text",
				   "there are blank lines before the key" },
	[DEFECT_TRAILING_SPACES] = { CODE_KEY_DAMAGED, "fix_trailing",
				     "there are blanks at the line ends" },
	[DEFECT_NO_FINAL_NEWLINE] = { CODE_KEY_DAMAGED, "fix_newline", "the last line has no end" },
	[DEFECT_CERT_FIRST] = { CODE_KEY_DAMAGED, "fix_text",
				"there is a certificate before the key" },
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

#define BIT(defect) (UINT64_C(1) << (defect))

/* A repair mends its own defect and a few others with it; else a careful copy is the honest advice.
 */
static bool
repairable(const struct fact_key *key, const struct damage *damage)
{
	static const struct {
		const char *fix;
		uint64_t others;
	} repairs[] = {
		{ "fix_joined", BIT(DEFECT_DOTENV) | BIT(DEFECT_JSON_QUOTED) |
				    BIT(DEFECT_NEWLINE_ESCAPED) | BIT(DEFECT_NEWLINES_LOST) |
				    BIT(DEFECT_NEWLINE_TO_SPACE) | BIT(DEFECT_NO_FINAL_NEWLINE) |
				    BIT(DEFECT_ONE_LINE) | BIT(DEFECT_CRLF) |
				    BIT(DEFECT_TRAILING_GARBAGE) },
		{ "fix_utf16", BIT(DEFECT_CRLF) },
		{ "fix_utf16le", BIT(DEFECT_CRLF) },
		{ "fix_utf16be", BIT(DEFECT_CRLF) },
		{ "fix_text", BIT(DEFECT_MARKDOWN_FENCE) | BIT(DEFECT_LEADING_TEXT) |
				  BIT(DEFECT_LEADING_BLANK) | BIT(DEFECT_TRAILING_GARBAGE) |
				  BIT(DEFECT_ZERO_WIDTH) | BIT(DEFECT_CERT_FIRST) |
				  BIT(DEFECT_CERT_AFTER) },
	};
	uint64_t repaired = BIT(key->defect);

	if (key->encrypted == YES && damage->fix != NULL &&
	    strcmp(damage->fix, "fix_joined") == 0 && strcmp(key->format, "openssh-key-v1") != 0 &&
	    strcmp(key->format, "pkcs8-enc-pem") != 0)
		return false; /* Proc-Type and DEK-Info need lines of their own */
	if (damage->fix == NULL || label_of(key->format) == NULL)
		return damage->code == CODE_KEY_UTF16_BOM ||
		       damage->code == CODE_KEY_BASE64_ENCODED;
	for (size_t i = 0; i < sizeof(repairs) / sizeof(repairs[0]); i++)
		if (strcmp(damage->fix, repairs[i].fix) == 0)
			repaired |= repairs[i].others;
	for (size_t i = 0; i < key->defects_count; i++)
		if ((BIT(fact_word_find(words_of_key_defect(), key->defects[i])) & repaired) == 0)
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
	const struct damage *damage = &damages[key->defect];
	const char *defect = FACT_WORD(key_defect, key->defect);
	bool pkcs12 = key->format != NULL && strcmp(key->format, "pkcs12") == 0;
	bool other =
	    key->kind == KEY_OTHER && key->format != NULL && strcmp(key->format, "unknown") != 0;

	if (damage->words != NULL && !other && damage->code != CODE_KEY_NOT_A_KEY_FILE) {
		if (damage->fix != NULL && repairable(key, damage))
			finding_text(finding, damage->fix, defect);
		else
			finding_text(finding, "no_fix", defect);
		finding_text(finding, "label", label_of(key->format));
		return finding_set(finding, FAIL, damage->code, "ssh cannot load %s: %s", key->path,
				   damage->words);
	}
	if (damage->words != NULL && !other)
		return finding_set(finding, FAIL, damage->code, "%s is not a private key: %s",
				   key->path, damage->words);
	if (key->kind == KEY_PRIVATE)
		return finding_set(finding, FAIL, CODE_KEY_DAMAGED, "ssh cannot load %s",
				   key->path);
	if (pkcs12)
		finding_text(finding, "pkcs12", "yes");
	return finding_set(finding, FAIL, CODE_KEY_NOT_A_KEY_FILE,
			   "%s is not a private key: it is %s", key->path,
			   other_words(key->format));
}
