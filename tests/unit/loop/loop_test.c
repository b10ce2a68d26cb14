#include "loop/leave.h"
#include "loop/owner.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	int calls, error, status;
	char out[256], err[256];
	size_t out_len;
	bool cut, enough;
};

static void
child_done(void *ctx, const struct child_reply *reply)
{
	struct seen *seen = ctx;

	seen->calls++;
	seen->error = reply->error;
	seen->status = reply->status;
	seen->out_len = reply->out_len;
	seen->cut = reply->cut;
	seen->enough = reply->enough;
	snprintf(seen->out, sizeof(seen->out), "%s", reply->out);
	snprintf(seen->err, sizeof(seen->err), "%s", reply->err);
}

static struct seen
run(const char *const *argv, struct child_request request)
{
	struct seen seen = { 0 };
	struct loop *loop = loop_new(5000, NULL);

	request.argv = argv;
	seen.error = loop_child(loop, &request, child_done, &seen);
	loop_run(loop, NULL, NULL);
	loop_free(loop);
	return seen;
}

START_TEST(a_child_gives_output_and_status)
{
	const char *argv[] = { "sh", "-c", "cat; echo oops >&2; exit 3", NULL };
	struct seen seen = run(argv, (struct child_request){ .input = "hello", .input_len = 5 });

	ck_assert_int_eq(seen.calls, 1);
	ck_assert_int_eq(seen.error, 0);
	ck_assert_int_eq(seen.status, 3);
	ck_assert_str_eq(seen.out, "hello");
	ck_assert_str_eq(seen.err, "oops\n");
}
END_TEST

START_TEST(a_missing_program_is_enoent)
{
	const char *argv[] = { "no-such-program-here", NULL };
	struct seen seen = run(argv, (struct child_request){ 0 });

	ck_assert_int_eq(seen.calls, 0);
	ck_assert_int_eq(seen.error, -ENOENT);
}
END_TEST

START_TEST(a_slow_child_is_killed_with_its_children)
{
	const char *argv[] = { "sh", "-c", "sleep 30 & sleep 30", NULL };
	struct seen seen = run(argv, (struct child_request){ .timeout_ms = 100 });

	ck_assert_int_eq(seen.error, -ETIMEDOUT);
}
END_TEST

START_TEST(a_grandchild_that_keeps_the_pipe_does_not_hold_us)
{
	const char *argv[] = { "sh", "-c", "sleep 30 & echo done", NULL };
	struct seen seen = run(argv, (struct child_request){ .timeout_ms = 4000 });

	ck_assert_int_eq(seen.error, 0);
	ck_assert_str_eq(seen.out, "done\n");
}
END_TEST

START_TEST(output_is_bounded)
{
	const char *argv[] = { "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x", NULL };
	struct seen seen = run(argv, (struct child_request){ .max_bytes = 1000 });

	ck_assert_int_eq(seen.error, 0);
	ck_assert_uint_eq(seen.out_len, 1000);
	ck_assert(seen.cut);
}
END_TEST

START_TEST(azure_variables_reach_az_alone)
{
	const char *argv[] = { "sh", "-c", "echo \"$AZURE_CLIENT_SECRET|$SECRET|$LC_ALL\"", NULL };
	struct seen plain, az;

	setenv("AZURE_CLIENT_SECRET", "s3", 1);
	setenv("SECRET", "s4", 1);
	plain = run(argv, (struct child_request){ 0 });
	az = run(argv, (struct child_request){ .azure_env = true });
	ck_assert_str_eq(plain.out, "||C\n");
	ck_assert_str_eq(az.out, "s3||C\n");
}
END_TEST

START_TEST(a_program_of_the_users_gets_his_environment_without_credentials)
{
	const char *argv[] = { "sh", "-c",
			       "echo \"$AZURE_CLIENT_SECRET|$GITHUB_TOKEN|$LD_LIBRARY_PATH|$AWS_"
			       "SECRET_ACCESS_KEY|$LC_ALL\"",
			       NULL };
	struct seen seen;

	setenv("AZURE_CLIENT_SECRET", "s3", 1);
	setenv("GITHUB_TOKEN", "s5", 1);
	setenv("LD_LIBRARY_PATH", "/lib/x", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s6", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	seen = run(argv, (struct child_request){ .user_env = true });
	unsetenv("LD_LIBRARY_PATH");
	ck_assert_str_eq(seen.out, "||/lib/x|s6|C\n");
}
END_TEST

START_TEST(an_unattended_child_cannot_ask)
{
	const char *argv[] = { "sh", "-c",
			       "(: </dev/tty) 2>/dev/null && echo tty; echo \"$SSH_ASKPASS "
			       "$SSH_ASKPASS_REQUIRE\"; cut -d' ' -f6 /proc/$$/stat; echo $$",
			       NULL };
	struct seen seen;
	char *sid, *pid;

	setenv("SSH_ASKPASS", "/usr/bin/pinentry", 1);
	seen = run(argv, (struct child_request){ .unattended = true });
	ck_assert_str_eq(strtok(seen.out, "\n"), "/bin/false never");
	sid = strtok(NULL, "\n");
	pid = strtok(NULL, "\n");
	ck_assert_str_eq(sid, pid);
}
END_TEST

START_TEST(an_unattended_child_is_killed_with_its_children)
{
	const char *argv[] = { "sh", "-c", "sleep 30 & sleep 30", NULL };
	struct seen seen =
	    run(argv, (struct child_request){ .unattended = true, .timeout_ms = 100 });

	ck_assert_int_eq(seen.error, -ETIMEDOUT);
}
END_TEST

START_TEST(a_child_that_falls_silent_is_killed)
{
	const char *argv[] = { "sh", "-c",
			       "for i in 1 2 3 4 5; do sleep 0.1; echo $i; done; sleep 30", NULL };
	struct seen seen = run(argv, (struct child_request){ .timeout_ms = 4000, .quiet_ms = 300 });

	ck_assert_int_eq(seen.error, -ETIMEDOUT);
	ck_assert_str_eq(seen.out, "1\n2\n3\n4\n5\n");
}
END_TEST

static bool
holds_two(void *ctx, const char *out, size_t len)
{
	(void)ctx;
	(void)len;
	return strstr(out, "two") != NULL;
}

START_TEST(a_child_that_has_said_enough_is_ended)
{
	const char *argv[] = { "sh", "-c", "echo one; sleep 0.1; echo two; sleep 30; echo three",
			       NULL };
	struct seen seen =
	    run(argv, (struct child_request){ .timeout_ms = 4000, .enough = holds_two });

	ck_assert_int_eq(seen.calls, 1);
	ck_assert_int_eq(seen.error, 0);
	ck_assert(seen.enough);
	ck_assert_str_eq(seen.out, "one\ntwo\n");
}
END_TEST

/* A listener on loopback; *port is its port. What it answers is the test's affair. */
static int
listen_on_loopback(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	*port = ntohs(address.sin_port);
	return fd;
}

struct answered {
	int calls, error;
	long status;
	char body[64], header[64];
};

static void
http_seen(void *ctx, const struct http_reply *reply)
{
	struct answered *seen = ctx;

	seen->calls++;
	seen->error = reply->error;
	seen->status = reply->status;
	snprintf(seen->body, sizeof(seen->body), "%s", reply->body);
	snprintf(seen->header, sizeof(seen->header), "%s",
		 http_header(reply, "x-some") != NULL ? http_header(reply, "x-some") : "-");
}

/* Answers one connection in a process of its own. */
static pid_t
serve(int fd, const char *answer)
{
	char buffer[4096];
	pid_t pid = fork();
	int peer;

	if (pid != 0)
		return pid;
	alarm(5);
	if ((peer = accept(fd, NULL, NULL)) < 0 || read(peer, buffer, sizeof(buffer)) <= 0 ||
	    write(peer, answer, strlen(answer)) <= 0)
		_exit(1);
	_exit(0);
}

static struct answered
ask(const char *answer, size_t max)
{
	struct loop *loop = loop_new(answer != NULL ? 3000 : 200, NULL);
	struct answered seen = { 0 };
	char url[64];
	int port, fd = listen_on_loopback(&port);

	if (answer != NULL)
		ck_assert_int_gt(serve(fd, answer), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", port);
	ck_assert_int_eq(
	    loop_http(loop,
		      &(struct http_request){
			  .method = "GET", .url = url, .max_bytes = max, .no_proxy = true },
		      http_seen, &seen),
	    0);
	loop_run(loop, NULL, NULL);
	loop_free(loop);
	close(fd);
	return seen;
}

START_TEST(a_reply_arrives_with_its_headers)
{
	struct answered seen = ask("HTTP/1.1 202 Accepted\r\nX-Some: thing \r\nContent-Length: "
				   "2\r\nConnection: close\r\n\r\nok",
				   0);

	ck_assert_int_eq(seen.calls, 1);
	ck_assert_int_eq(seen.error, 0);
	ck_assert_int_eq(seen.status, 202);
	ck_assert_str_eq(seen.body, "ok");
	ck_assert_str_eq(seen.header, "thing");
}
END_TEST

START_TEST(a_reply_cut_short_is_a_reset)
{
	ck_assert_int_eq(ask("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", 0).error,
			 -ECONNRESET);
}
END_TEST

START_TEST(a_reply_too_large_is_refused)
{
	ck_assert_int_eq(
	    ask("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789", 10).error,
	    -EFBIG);
}
END_TEST

START_TEST(the_deadline_cancels_what_never_answers)
{
	struct answered seen = ask(NULL, 0);

	ck_assert_int_eq(seen.calls, 1);
	ck_assert_int_eq(seen.error, -ECANCELED);
}
END_TEST

static void
tick(void *ctx, int revents)
{
	int *ticks = ctx;

	*ticks = revents == 0 ? *ticks + 1 : -1;
}

START_TEST(a_timer_fires_once)
{
	struct loop *loop = loop_new(300, NULL);
	int ticks = 0;
	struct watch *watch = loop_watch(loop, -1, 0, 20, tick, &ticks);

	while (ticks == 0)
		loop_turn(loop, 50);
	ck_assert_int_eq(ticks, 1);
	loop_unwatch(watch);
	ck_assert_int_eq(loop_run(loop, NULL, NULL), 0);
	loop_free(loop);
}
END_TEST

enum { PIPES = 300 };

static void
count_ready(void *ctx, int revents)
{
	int *ready = ctx;

	*ready += revents > 0;
}

START_TEST(every_descriptor_is_watched)
{
	struct loop *loop = loop_new(2000, NULL);
	int ready[PIPES] = { 0 }, ends[PIPES][2];

	for (int i = 0; i < PIPES; i++) {
		ck_assert_int_eq(pipe(ends[i]), 0);
		ck_assert_int_eq(write(ends[i][1], "x", 1), 1);
		ck_assert_ptr_nonnull(
		    loop_watch(loop, ends[i][0], POLLIN, 0, count_ready, &ready[i]));
	}
	ck_assert(loop_turn(loop, 100));
	for (int i = 0; i < PIPES; i++) {
		ck_assert_int_eq(ready[i], 1);
		close(ends[i][0]);
		close(ends[i][1]);
	}
	loop_free(loop);
}
END_TEST

/* What a process that never comes back ends with; its sentence into text. */
static int
stuck(void (*busy)(struct loop *loop), char *text, size_t size)
{
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_ge(pid = fork(), 0);
	if (pid == 0) {
		struct loop *loop = loop_new(60000, NULL);

		dup2(ends[1], STDERR_FILENO);
		leave_after(1);
		busy(loop);
		_exit(0);
	}
	close(ends[1]);
	n = read(ends[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
spin(struct loop *loop)
{
	for (;;)
		(void)loop_now(loop);
}

static void
turn_for_a_while(struct loop *loop)
{
	int64_t began = loop_now(loop);

	while (loop_now(loop) - began < 4000) {
		loop_turn(loop, 50);
		usleep(10000);
	}
}

START_TEST(a_process_that_is_stuck_says_so_and_ends)
{
	char text[256];

	ck_assert_int_eq(stuck(spin, text, sizeof(text)), 3);
	ck_assert_ptr_nonnull(strstr(text, "stuck beyond its deadline"));
	ck_assert_int_eq(stuck(turn_for_a_while, text, sizeof(text)), 0);
}
END_TEST

START_TEST(a_new_round_asks_again)
{
	struct loop *loop = loop_new(200, NULL);
	struct answered first = { 0 }, second = { 0 };
	char url[64];
	int port, fd = listen_on_loopback(&port);
	struct http_request request = { .method = "GET", .url = url, .no_proxy = true };

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", port);
	ck_assert_int_eq(loop_http(loop, &request, http_seen, &first), 0);
	ck_assert_int_eq(loop_run(loop, NULL, NULL), -ETIMEDOUT);
	ck_assert_int_eq(first.error, -ECANCELED);
	ck_assert_int_eq(loop_http(loop, &request, http_seen, &second), -ECANCELED);
	close(accept(fd, NULL, NULL)); /* the request that was given up */
	loop_reopen(loop, 3000);
	ck_assert_int_gt(serve(fd, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"), 0);
	ck_assert_int_eq(loop_http(loop, &request, http_seen, &second), 0);
	ck_assert_int_eq(loop_run(loop, NULL, NULL), 0);
	ck_assert_int_eq(second.status, 204);
	loop_free(loop);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("loop");
	TCase *tc = tcase_create("primitives");
	SRunner *runner = srunner_create(suite);

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_child_gives_output_and_status);
	tcase_add_test(tc, a_missing_program_is_enoent);
	tcase_add_test(tc, a_slow_child_is_killed_with_its_children);
	tcase_add_test(tc, a_grandchild_that_keeps_the_pipe_does_not_hold_us);
	tcase_add_test(tc, output_is_bounded);
	tcase_add_test(tc, azure_variables_reach_az_alone);
	tcase_add_test(tc, a_program_of_the_users_gets_his_environment_without_credentials);
	tcase_add_test(tc, an_unattended_child_cannot_ask);
	tcase_add_test(tc, an_unattended_child_is_killed_with_its_children);
	tcase_add_test(tc, a_child_that_falls_silent_is_killed);
	tcase_add_test(tc, a_child_that_has_said_enough_is_ended);
	tcase_add_test(tc, a_reply_arrives_with_its_headers);
	tcase_add_test(tc, a_reply_cut_short_is_a_reset);
	tcase_add_test(tc, a_reply_too_large_is_refused);
	tcase_add_test(tc, the_deadline_cancels_what_never_answers);
	tcase_add_test(tc, a_timer_fires_once);
	tcase_add_test(tc, every_descriptor_is_watched);
	tcase_add_test(tc, a_process_that_is_stuck_says_so_and_ends);
	tcase_add_test(tc, a_new_round_asks_again);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return 0;
}
