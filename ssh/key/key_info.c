#include "ssh/key/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(DEFECT_TRAILING_GARBAGE < 64, "the defects are one bit each");

void
key_info_free(struct key_info *info)
{
	if (info == NULL)
		return;
	pubkey_free(&info->pub);
	*info = (struct key_info){ 0 };
}

void
key_flag(struct key_info *info, uint64_t defects)
{
	info->defects |= defects;
}

void
key_kind(struct key_info *info, const char *kind, const char *format)
{
	info->kind = kind;
	snprintf(info->format, sizeof(info->format), "%s", format);
}

void
key_plain(struct key_info *info)
{
	info->encrypted = "no";
	memcpy(info->cipher, "none", 5);
	memcpy(info->kdf, "none", 5);
}

int
key_comment(struct key_info *info, const void *bytes, size_t len)
{
	buffer_free(&info->pub.comment);
	if (len > 0)
		buffer_add(&info->pub.comment, bytes, len);
	return info->pub.comment.failed ? -ENOMEM : 0;
}

const char *
key_azure(const char *type, unsigned bits)
{
	bool rsa = type != NULL && strcmp(type, "ssh-rsa") == 0;

	if (type == NULL || *type == '\0' || (rsa && bits == 0))
		return "unknown";
	return (rsa && bits >= 2048) || strcmp(type, "ssh-ed25519") == 0 ? "accept" : "reject";
}

static void
set_word(json_t *key, const char *name, const char *word)
{
	if (word != NULL && *word != '\0')
		doc_set_str(key, name, word);
}

static void
facts_defects(uint64_t defects, json_t *key)
{
	json_t *all = json_array();

	for (size_t i = 0; i < words_of_key_defect()->count; i++)
		if (defects & UINT64_C(1) << i)
			doc_append_str(all, fact_word(words_of_key_defect(), i));
	if (json_array_size(all) > 0)
		doc_set_str(key, "defect", json_string_value(json_array_get(all, 0)));
	if (json_array_size(all) > 1)
		json_object_set(key, "defects", all);
	json_decref(all);
}

void
key_info_facts(const struct key_info *info, json_t *key)
{
	set_word(key, "kind", info->kind);
	set_word(key, "format", info->format);
	set_word(key, "type", info->pub.type);
	if (info->pub.bits != 0)
		doc_set_int(key, "bits", info->pub.bits);
	if (info->about_bits != 0)
		doc_set_int(key, "about_bits", info->about_bits);
	set_word(key, "encrypted", info->encrypted);
	set_word(key, "cipher", info->cipher);
	set_word(key, "kdf", info->kdf);
	if (info->pub.comment.len > 0)
		doc_set_strn(key, "comment", info->pub.comment.at, info->pub.comment.len);
	facts_defects(info->defects, key);
	doc_set_str(key, "azure", key_azure(info->pub.type, info->pub.bits));
	if (info->loads >= 0)
		doc_set_bool(key, "loads", info->loads != 0);
	pubkey_facts(key, buffer_bytes(&info->pub.blob), buffer_bytes(&info->pub.blob));
}
