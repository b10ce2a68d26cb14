/* known_hosts: single lines, the collector, and our reading against ssh-keygen -F on a generated
 * corpus. */
#include "ssh/ssh.h"
#include "tests/unit/model/known_lib.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOSTS = 40, LINES = 400, LOOKUPS = 520 };

/* "ssh-ed25519 BASE64" of a made-up key: any 32 bytes are one. */
static void
made_up_key(unsigned number, char *ret, size_t size)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[] = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

	for (size_t i = 26; i < 66; i++, number = number * 31 + 7)
		text[i] = alphabet[number % 64];
	snprintf(ret, size, "ssh-ed25519 %s", text);
}

/* ---- single lines ---- */

#define K1 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define K2 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

static const struct names {
	const char *hosts, *name;
	int found;
} names[] = {
	{ "vm1", "vm1", 1 },
	{ "VM1", "vm1", 1 },
	{ "vm1", "VM1", 1 },
	{ "a,vm1,b", "vm1", 1 },
	{ "vm1.x", "vm1", 0 },
	{ "vm?", "vm1", 1 },
	{ "v*1", "vm1", 1 },
	{ "*", "vm1", 1 },
	{ "*,!vm1", "vm1", 0 },
	{ "!vm1,*", "vm1", 0 },
	{ "!vm2,*", "vm1", 1 },
	{ "!vm2", "vm1", 0 },
	{ "[vm1]:2200", "[vm1]:2200", 1 },
	{ "[vm1]:*", "[vm1]:2200", 1 },
	{ "[*]:2200", "[vm1]:2200", 1 },
	{ "", "vm1", 0 },
	{ ",,", "vm1", 0 },
	{ "a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0 },
	{ "|1|x|y", "vm1", -1 },
	{ "|", "vm1", -1 },
	{ "|2|AAAA", "vm1", -1 },
};

START_TEST(names_and_patterns_match_as_in_ssh)
{
	int r = known_hosts_names(names[_i].hosts, strlen(names[_i].hosts), names[_i].name);

	ck_assert_int_eq(r < 0 ? -1 : r > 0, names[_i].found);
}
END_TEST

static const struct damage {
	const char *line, *why;
} damages[] = {
	{ "vm1", "ends before" },
	{ "vm1 ssh-ed25519", "ends before" },
	{ "vm1 garbage AAAA", "no type" },
	{ "vm1 ssh-ed25519 AAAA!", "base64" },
	{ "vm1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAA", "damaged" },
	{ "vm1 ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	  "another type" },
	{ "@unknown vm1 " K1, "marker" },
	{ "@revoked @revoked vm1 " K1, "more than one" },
	{ "|1|bad|bad " K1, "hashed" },
	{ "\xef\xbb\xbfvm1 " K1, "byte order" },
};

START_TEST(damaged_lines_are_named_and_the_rest_is_read)
{
	char *text = doc_fmt("# c\n%s\n\n\t vm1\t" K1 " comment\r\n", damages[_i].line);
	json_t *damaged, *entries = known_read(text, "vm1", 22, &damaged);

	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_int_eq(doc_int(json_array_get(entries, 0), "line", 0), 4);
	ck_assert_uint_eq(json_array_size(damaged), 1);
	ck_assert_int_eq(doc_int(json_array_get(damaged, 0), "line", 0), 2);
	ck_assert(strstr(doc_str(json_array_get(damaged, 0), "why"), damages[_i].why) != NULL);
	json_decref(damaged);
	json_decref(entries);
	free(text);
}
END_TEST

START_TEST(lines_of_other_kinds_are_no_damage)
{
	json_t *damaged,
	    *entries = known_read("\r\nvm1 1024 35 123456\nvm1 ssh-new-type@example.com AAAA\n#\n  "
				  "# x\n@revoked vm1 " K2 "\n",
				  "vm1", 22, &damaged);

	ck_assert_uint_eq(json_array_size(damaged), 0);
	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_str_eq(doc_str(json_array_get(entries, 0), "marker"), "revoked");
	json_decref(damaged);
	json_decref(entries);
}
END_TEST

START_TEST(the_second_look_is_for_names_without_a_port)
{
	json_t *entries = known_read("vm1 " K1 "\n[vm1]:2200 " K2 "\n", "vm1", 2200, NULL);

	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_str_eq(doc_str(json_array_get(entries, 0), "via"), "host");
	json_decref(entries);
	entries = known_read("vm1 " K1 "\n[vm1]:2201 " K2 "\n", "vm1", 2200, NULL);
	ck_assert_uint_eq(json_array_size(entries), 1);
	ck_assert_str_eq(doc_str(json_array_get(entries, 0), "via"), "port-less");
	json_decref(entries);
}
END_TEST

START_TEST(the_same_key_is_found_under_other_names)
{
	static const char text[] =
	    "vm1 " K2 "\n[vm1]:2222,other " K1
	    "\n|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= " K1 "\n@revoked x " K1
	    "\n";
	const struct known_query query = { .name = "vm1", .port = 22 };
	json_t *keys = json_pack("[{s:s}]", "public", strchr(K1, ' ') + 1), *found = json_array();

	known_hosts_elsewhere(text, strlen(text), "f", &query, keys, found);
	ck_assert_uint_eq(json_array_size(found), 2);
	ck_assert_str_eq(doc_str(json_array_get(found, 0), "name"), "[vm1]:2222,other");
	ck_assert_str_eq(doc_str(json_array_get(found, 1), "name"), "(hashed)");
	json_decref(keys);
	json_decref(found);
}
END_TEST

START_TEST(the_same_key_is_found_in_lines_that_ssh_cannot_read)
{
	static const char text[] =
	    "vm1 " K2 "\n" K1 "\nvm1:" K1 "\n" K2 "\n\xef\xbb\xbfvm1 " K1 "\n# " K1 "\n";
	const struct known_query query = { .name = "vm1", .port = 22 };
	json_t *keys = json_pack("[{s:s}]", "public", strchr(K1, ' ') + 1), *found = json_array();
	static const json_int_t lines[] = { 2, 3, 5 };

	known_hosts_elsewhere(text, strlen(text), "f", &query, keys, found);
	ck_assert_uint_eq(json_array_size(found), 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(doc_int(json_array_get(found, i), "line", 0), lines[i]);
		ck_assert_ptr_nonnull(doc_str(json_array_get(found, i), "why"));
		ck_assert_ptr_null(doc_get(json_array_get(found, i), "name"));
	}
	json_decref(keys);
	json_decref(found);
}
END_TEST

START_TEST(types_on_file_are_asked_for_first)
{
	static const char algorithms[] = "ssh-ed25519-cert-v01@openssh.com,rsa-sha2-512-cert-v01@"
					 "openssh.com,ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512";
	json_t *entries = json_pack("[{s:s, s:s}]", "type", "ssh-rsa", "via", "host");
	struct known_section section = known_section(entries);
	char *order = known_hosts_order(&section.known, algorithms);

	ck_assert_str_eq(order, "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-512,ssh-ed25519-cert-"
				"v01@openssh.com,ssh-ed25519,ecdsa-sha2-nistp256");
	free(order);
	json_array_append_new(entries,
			      json_pack("{s:s, s:s}", "type", "ssh-ed25519", "via", "host"));
	known_section_free(&section);
	section = known_section(entries);
	order = known_hosts_order(&section.known, algorithms);
	ck_assert_str_eq(order, algorithms);
	free(order);
	known_section_free(&section);
	json_decref(entries);
}
END_TEST

/* ---- the collector ---- */

START_TEST(the_collector_reads_regular_files_only)
{
	json_t *doc = facts_new(0), *section, *host_key;
	struct facts facts;
	char *path, *fifo;

	known_folder();
	path = known_path("known hosts");
	fifo = known_path("fifo");
	known_write(path, "vm1 " K1 "\nother " K2 "\n");
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	json_array_append_new(json_object_get(doc, "targets"), json_object());
	ck_assert_int_eq(facts_view(doc, 0, &facts), 0);
	section = facts_known(&facts, FACT_SSH_CONFIG);
	json_object_set_new(section, "user_known_hosts", json_pack("[s, s, s]", path, fifo, "/"));
	json_object_set_new(section, "global_known_hosts",
			    json_pack("[s]", "/nonexistent/known_hosts"));
	ssh_known_hosts_collect(&facts, "VM1", 22);
	section = facts_section(&facts, FACT_KNOWN_HOSTS);
	ck_assert_str_eq(doc_str(section, "name"), "vm1");
	ck_assert_uint_eq(json_array_size(doc_list(section, "entries")), 1);
	ck_assert_str_eq(doc_str(json_array_get(doc_list(section, "files"), 0), "state"), "known");
	ck_assert_str_eq(doc_str(json_array_get(doc_list(section, "files"), 1), "errno"), "EINVAL");
	ck_assert_str_eq(doc_str(json_array_get(doc_list(section, "files"), 2), "errno"), "EISDIR");
	ck_assert_str_eq(doc_str(json_array_get(doc_list(section, "files"), 3), "state"), "absent");
	host_key = facts_known(&facts, FACT_HOST_KEY);
	json_array_clear(doc_list(section, "entries"));
	json_object_set_new(host_key, "keys", json_pack("[{s:s}]", "public", strchr(K2, ' ') + 1));
	ssh_known_hosts_elsewhere(&facts, host_key);
	ck_assert_str_eq(doc_str(json_array_get(doc_list(host_key, "elsewhere"), 0), "name"),
			 "other");
	json_decref(doc);
	free(path);
	free(fifo);
	known_folder_remove();
}
END_TEST

/* ---- against ssh-keygen -F ---- */

static const char *
host_name(unsigned index)
{
	static char name[32];

	snprintf(name, sizeof(name),
		 index % 3 == 0   ? "vm%u"
		 : index % 3 == 1 ? "vm%u.x.example.com"
				  : "10.0.0.%u",
		 index);
	return name;
}

/* One host field of a random form; bracketed ones with a port of their own. */
static void
random_hosts(char *ret, size_t size)
{
	unsigned a = known_pick(HOSTS), b = known_pick(HOSTS);
	char one[32], other[32];

	snprintf(one, sizeof(one), "%s", host_name(a));
	snprintf(other, sizeof(other), "%s", host_name(b));
	switch (known_pick(11)) {
	case 0:
		snprintf(ret, size, "%s,%s", one, other);
		break;
	case 1:
		snprintf(ret, size, "[%s]:%u", one, 2200 + known_pick(3));
		break;
	case 2:
		snprintf(ret, size, "[%s]:*,%s", one, other);
		break;
	case 3:
		snprintf(ret, size, "vm%u?", known_pick(4));
		break;
	case 4:
		snprintf(ret, size, "*.example.com,!%s", one);
		break;
	case 5:
		snprintf(ret, size, "10.0.0.%u*", known_pick(4));
		break;
	case 6:
		snprintf(ret, size, "VM%u.X.Example.COM", a);
		break;
	case 7:
		snprintf(ret, size, "!%s,%s,vm*", one, other);
		break;
	case 8:
		snprintf(ret, size, "%s", known_pick(4) == 0 ? "*" : one);
		break;
	default:
		snprintf(ret, size, "%s", one);
		break;
	}
}

/* Writes a file of hashed lines (made by ssh-keygen) and of all other forms. readable[line] says
 * whether ssh can read its key. */
static void
write_corpus(const char *path, bool *readable)
{
	const char *const argv[] = { "ssh-keygen", "-q", "-H", "-f", path, NULL };
	char hosts[256], key[128], out[4096];
	FILE *file = fopen(path, "w");
	unsigned line = 0;

	ck_assert_ptr_nonnull(file);
	for (; line < LINES / 4; line++) {
		made_up_key(line, key, sizeof(key));
		if (known_pick(3) == 0)
			fprintf(file, "[%s]:%u %s\n", host_name(known_pick(HOSTS)),
				2200 + known_pick(3), key);
		else
			fprintf(file, "%s %s\n", host_name(known_pick(HOSTS)), key);
		readable[line + 1] = true;
	}
	fclose(file);
	known_run(argv, out, sizeof(out));
	file = fopen(path, "a");
	for (; line < LINES; line++) {
		static const char *const before[] = {
			"", "", "", " ", "\t", "@revoked ", "@cert-authority\t"
		};
		static const char *const after[] = { "\n",   "\n",     " comment\n",
						     "\r\n", " c\r\n", "\t\n" };

		random_hosts(hosts, sizeof(hosts));
		made_up_key(line, key, sizeof(key));
		readable[line + 1] = known_pick(12) != 0;
		if (!readable[line + 1] && known_pick(2) == 0)
			fprintf(file, "# %s %s\n", hosts, key);
		else if (!readable[line + 1])
			fprintf(file, "%s ssh-ed25519 AAAA%u\n", hosts, line);
		else
			fprintf(file, "%s%s %s%s", before[known_pick(7)], hosts, key,
				after[known_pick(6)]);
	}
	fprintf(file, "%s %s", host_name(1), K1); /* no end of line */
	readable[line + 1] = true;
	fclose(file);
}

/* The lines ssh-keygen finds, as a set; -1 when it does not run. */
static int
keygen_lines(const char *path, const char *query, bool *found)
{
	const char *const argv[] = { "ssh-keygen", "-F", query, "-f", path, NULL };
	static char out[1 << 20];
	int r = known_run(argv, out, sizeof(out)), count = 0;

	if (r > 1)
		return -1;
	for (const char *at = out; (at = strstr(at, " found: line ")) != NULL; count++) {
		at += strlen(" found: line ");
		found[atol(at)] = true;
	}
	return count;
}

START_TEST(the_corpus_reads_as_ssh_keygen_reads_it)
{
	bool readable[LINES + 2] = { false };
	char *path, *text;
	unsigned found_any = 0;
	struct stat st;
	FILE *file;

	known_folder();
	path = known_path("known_hosts");
	write_corpus(path, readable);
	ck_assert_int_eq(stat(path, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	file = fopen(path, "r");
	ck_assert_uint_eq(fread(text, 1, (size_t)st.st_size, file), (size_t)st.st_size);
	fclose(file);
	for (unsigned i = 0; i < LOOKUPS; i++) {
		int port = i % 3 == 0 ? 2200 + (int)known_pick(4) : 22;
		const struct known_query query = { .name = host_name(i % (HOSTS + 4)),
						   .port = port };
		bool theirs[LINES + 2] = { false }, ours[LINES + 2] = { false };
		json_t *entries = json_array(), *damaged = json_array(), *entry;
		char *name = known_hosts_name(&query);
		size_t k;

		ck_assert_int_ge(keygen_lines(path, name, theirs), 0);
		known_hosts_read(text, strlen(text), path, &query, entries, damaged);
		json_array_foreach (entries, k, entry)
			if (!doc_is(entry, "via", "port-less"))
				ours[doc_int(entry, "line", 0)] = true;
		for (size_t line = 1; line <= LINES + 1; line++)
			ck_assert_msg(ours[line] == (theirs[line] && readable[line]),
				      "%s: line %zu: ours %d, theirs %d, readable %d", name, line,
				      ours[line], theirs[line], readable[line]);
		found_any += json_array_size(entries) > 0;
		json_decref(entries);
		json_decref(damaged);
		free(name);
	}
	ck_assert_uint_gt(found_any, LOOKUPS / 2);
	free(text);
	free(path);
	known_folder_remove();
}
END_TEST

static Suite *
known_hosts_suite(void)
{
	Suite *suite = suite_create("known_hosts");
	TCase *pure = tcase_create("lines"), *keygen = tcase_create("ssh-keygen -F");

	tcase_add_loop_test(pure, names_and_patterns_match_as_in_ssh, 0,
			    sizeof(names) / sizeof(names[0]));
	tcase_add_loop_test(pure, damaged_lines_are_named_and_the_rest_is_read, 0,
			    sizeof(damages) / sizeof(damages[0]));
	tcase_add_test(pure, lines_of_other_kinds_are_no_damage);
	tcase_add_test(pure, the_second_look_is_for_names_without_a_port);
	tcase_add_test(pure, the_same_key_is_found_under_other_names);
	tcase_add_test(pure, the_same_key_is_found_in_lines_that_ssh_cannot_read);
	tcase_add_test(pure, types_on_file_are_asked_for_first);
	tcase_add_test(pure, the_collector_reads_regular_files_only);
	suite_add_tcase(suite, pure);
	tcase_set_timeout(keygen, 120);
	if (known_runs("ssh-keygen", "-?"))
		tcase_add_test(keygen, the_corpus_reads_as_ssh_keygen_reads_it);
	else
		printf("# ssh-keygen is not installed: the corpus is not compared with it\n");
	suite_add_tcase(suite, keygen);
	return suite;
}

int
main(void)
{
	SRunner *runner;

	known_seed();
	runner = srunner_create(known_hosts_suite());
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
