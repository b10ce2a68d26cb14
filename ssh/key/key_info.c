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
key_kind(struct key_info *info, enum key_kind kind, const char *format)
{
	info->kind = kind;
	snprintf(info->format, sizeof(info->format), "%s", format);
}

void
key_plain(struct key_info *info)
{
	info->encrypted = NO;
	memcpy(info->cipher, "none", 5);
	memcpy(info->kdf, "none", 5);
}

void
key_comment(struct key_info *info, const void *bytes, size_t len)
{
	buffer_free(&info->pub.comment);
	if (len > 0)
		buffer_add(&info->pub.comment, bytes, len);
}

enum azure_takes
key_azure(const char *type, unsigned bits)
{
	bool rsa = type != NULL && strcmp(type, "ssh-rsa") == 0;

	if (type == NULL || *type == '\0' || (rsa && bits == 0))
		return AZURE_CANNOT_TELL;
	if (rsa)
		return bits >= 2048 ? AZURE_ACCEPTS : AZURE_REJECTS;
	return strcmp(type, "ssh-ed25519") == 0 ? AZURE_ACCEPTS : AZURE_REJECTS;
}

/* The gravest one, and all of them when there are several. */
static void
put_defects(uint64_t defects, json_t *key)
{
	enum key_defect first = DEFECT_NONE;
	json_t *all = json_array();

	for (size_t i = DEFECT_NONE + 1; i < words_of_key_defect()->count; i++) {
		if ((defects & UINT64_C(1) << i) == 0)
			continue;
		first = first == DEFECT_NONE ? (enum key_defect)i : first;
		doc_append_str(all, FACT_WORD(key_defect, i));
	}
	FACT_PUT(key, key, defect, first);
	if (json_array_size(all) > 1)
		FACT_PUT_JSON(key, key, defects, json_incref(all));
	json_decref(all);
}

static const char *
or_null(const char *text)
{
	return *text != '\0' ? text : NULL;
}

void
key_info_facts(const struct key_info *info, json_t *key)
{
	const struct bytes blob = buffer_bytes(&info->pub.blob),
			   comment = buffer_bytes(&info->pub.comment);

	FACT_PUT(key, key, kind, info->kind);
	FACT_PUT(key, key, format, or_null(info->format));
	FACT_PUT(key, key, type, or_null(info->pub.type));
	if (info->pub.bits != 0)
		FACT_PUT(key, key, bits, info->pub.bits);
	if (info->about_bits != 0)
		FACT_PUT(key, key, about_bits, info->about_bits);
	FACT_PUT(key, key, encrypted, info->encrypted);
	FACT_PUT(key, key, cipher, or_null(info->cipher));
	FACT_PUT(key, key, kdf, or_null(info->kdf));
	if (comment.len > 0)
		FACT_PUT_BYTES(key, key, comment, comment.at, comment.len);
	put_defects(info->defects, key);
	FACT_PUT(key, key, azure, key_azure(info->pub.type, info->pub.bits));
	if (info->loads >= 0)
		FACT_PUT(key, key, loads, info->loads != 0 ? FACT_YES : FACT_NO);
	pubkey_facts(key, blob, blob);
}
