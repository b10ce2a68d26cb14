#include "azure/session.h"

#include <stdint.h>
#include <stdlib.h>

int
azure_new(struct loop *loop, json_t *doc, const struct azure_options *options, struct azure **ret,
	  struct err *err)
{
	struct azure *azure = calloc(1, sizeof(*azure));
	const json_t *asked = FACT_JSON(doc, document, asked);
	int r;

	azure->deep = FACT_GET(asked, asked, deep);
	azure->guest = FACT_GET(asked, asked, guest);
	azure->resolver = options->resolver;
	azure->web = (struct web){ .loop = loop,
				   .doc = doc,
				   .seed = (unsigned)loop_now(loop) ^ (unsigned)(uintptr_t)azure };
	arm_begin(&azure->arm, &azure->web, NULL);
	fetches_begin(&azure->fetches, &azure->arm);
	account_load(&azure->account, options);
	azure->signin = (struct signin){ .web = &azure->web,
					 .token = &azure->arm.token,
					 .account = &azure->account,
					 .cloud = &azure->cloud };
	if ((r = signin_choose(&azure->signin, options->credential, err)) < 0 ||
	    (r = cloud_choose(options, &azure->account.config, &azure->cloud, err)) < 0) {
		azure_free(azure);
		return r;
	}
	account_choose(&azure->account, &azure->cloud);
	azure->arm.base = azure->cloud.arm;
	azure->arm.renew = signin_renew;
	azure->arm.renew_ctx = &azure->signin;
	*ret = azure;
	return 0;
}

void
azure_signin(struct azure *azure, void (*done)(void *ctx), void *ctx)
{
	signin_start(&azure->signin, done, ctx);
}

char *
azure_default_vm(void)
{
	struct az_config config;
	char *vm;

	config_load(&config);
	vm = config_setting(&config, "defaults", "vm");
	config_free(&config);
	return vm;
}

void
azure_cut(const struct azure *azure, json_t *value)
{
	secrets_cut(azure != NULL ? &azure->web.secrets : NULL, value);
}

void
azure_free(struct azure *azure)
{
	if (azure == NULL)
		return;
	signin_free(&azure->signin);
	fetches_free(&azure->fetches);
	arm_free(&azure->arm);
	account_free(&azure->account);
	cloud_free(&azure->cloud);
	secrets_free(&azure->web.secrets);
	json_decref(azure->fleet);
	free(azure);
}
