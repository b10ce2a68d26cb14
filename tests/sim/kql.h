/* The part of the Kusto query language that Resource Graph queries of one pipe need; also OData's
 * $filter. */
#ifndef SIM_KQL_H
#define SIM_KQL_H

#include "tests/sim/sim.h"

enum kql_kind { KQL_FIELD, KQL_VALUE, KQL_CALL, KQL_COMPARE, KQL_IN, KQL_AND, KQL_OR, KQL_NOT };

struct kql_node {
	enum kql_kind kind;
	char *name; /* field (dots and [0] kept), function, operator */
	json_t *value;
	struct kql_node *part[8];
	size_t count;
};

enum kql_verb {
	KQL_WHERE,
	KQL_PROJECT,
	KQL_EXTEND,
	KQL_PROJECT_AWAY,
	KQL_LIMIT,
	KQL_ORDER,
	KQL_COUNT,
	KQL_DISTINCT,
	KQL_MV_EXPAND
};

struct kql_column {
	char *name;
	struct kql_node *node;
	bool descending;
};

struct kql_step {
	enum kql_verb verb;
	struct kql_node *where;
	struct kql_column column[32];
	size_t count;
	long long limit;
};

struct kql {
	char *table;
	struct kql_step step[32];
	size_t count;
};

/* kqlread.c: the current word; the first complaint ends the reading. */
enum kql_token { KQL_END, KQL_NAME, KQL_TEXT, KQL_NUMBER, KQL_SIGN };

struct kql_reader {
	const char *at;
	enum kql_token token;
	char text[512]; /* of the token */
	bool odata;
	char *why;
	unsigned depth;
};

void kql_complain(struct kql_reader *reader, const char *what);
void kql_next(struct kql_reader *reader);
bool kql_is(const struct kql_reader *reader, const char *text);
bool kql_take(struct kql_reader *reader, const char *text); /* steps over it when it is there */
void kql_expect(struct kql_reader *reader, const char *text);

void kql_node_free(struct kql_node *node);

#endif
