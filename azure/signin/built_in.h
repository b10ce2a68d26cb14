/* The public clouds that need no discovery. */
#ifndef AZURE_BUILT_IN_H
#define AZURE_BUILT_IN_H

struct built_in {
	const char *name, *arm, *authority;
	const char *audience;      /* the older one, that az asks for */
	const char *authority_too; /* another login host of the same cloud, or NULL */
};

extern const struct built_in built_in_clouds[];
extern const unsigned built_in_count;

/* NULL when it is none of them. */
const struct built_in *built_in_named(const char *name);
const struct built_in *built_in_at(const char *arm);      /* by the origin of its ARM */
const struct built_in *built_in_of(const char *audience); /* by either name of its ARM */
const struct built_in *built_in_signing(const char *authority);

#endif
