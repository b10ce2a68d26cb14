#include "azure/arm/json.h"
#include "azure/signin/jwt.h"
#include "facts/doc.h"

#include <stdlib.h>
#include <string.h>

/* "aud" as one text. It may be a list; a list of several, or anything else, fits no audience. */
static void
take_audience(json_t *claims, const json_t *all)
{
	const json_t *audience = json_object_get(all, "aud");

	if (json_array_size(audience) == 1)
		audience = json_array_get(audience, 0);
	if (audience != NULL)
		doc_set_str(claims, "aud",
			    json_is_string(audience) ? json_string_value(audience) : "");
}

json_t *
jwt_claims(const char *token)
{
	static const char *const texts[] = {
		"iss",         "tid",    "oid",       "appid",          "azp", "idtyp", "upn",
		"unique_name", "ipaddr", "xms_mirid", "app_displayname"
	};
	const char *dot = token != NULL ? strchr(token, '.') : NULL,
		   *end = dot != NULL ? strchr(dot + 1, '.') : NULL;
	struct buffer payload = { 0 };
	json_t *all, *claims;

	if (end == NULL ||
	    base64_decode((struct bytes){ (const unsigned char *)dot + 1, (size_t)(end - dot - 1) },
			  BASE64_LOOSE | BASE64_URL, &payload) < 0)
		return NULL;
	all = parse_json((const char *)payload.at, payload.len);
	buffer_free(&payload);
	if (!json_is_object(all)) {
		json_decref(all);
		return NULL;
	}
	claims = json_object();
	take_audience(claims, all);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		doc_set_str(claims, texts[i], doc_str(all, texts[i]));
	if (doc_int(all, "exp", 0) != 0)
		doc_set_int(claims, "exp", doc_int(all, "exp", 0));
	if (doc_int(all, "nbf", 0) != 0)
		doc_set_int(claims, "nbf", doc_int(all, "nbf", 0));
	json_decref(all);
	return claims;
}
