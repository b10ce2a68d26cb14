/* Options, the socket, the ready file, and the end. */
#include "tests/sim/sim.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <poll.h>
#include <unistd.h>

struct options {
	const char *world, *address, *port, *tls, *log, *ready;
	long lifetime;
};

static const char usage[] = "usage: azssh-sim --world FILE [--address 127.0.0.1] [--port 0] [--tls "
			    "DIR] [--log FILE] [--ready "
			    "FILE] [--lifetime SECONDS]\n";

static struct options
read_options(int argc, char **argv)
{
	static const struct option list[] = { { "world", 1, NULL, 'w' },
					      { "address", 1, NULL, 'a' },
					      { "port", 1, NULL, 'p' },
					      { "tls", 1, NULL, 't' },
					      { "log", 1, NULL, 'l' },
					      { "ready", 1, NULL, 'r' },
					      { "lifetime", 1, NULL, 's' },
					      { "help", 0, NULL, 'h' },
					      { 0 } };
	struct options options = { .address = "127.0.0.1", .port = "0", .lifetime = 600 };
	int c;

	while ((c = getopt_long(argc, argv, "h", list, NULL)) != -1) {
		switch (c) {
		case 'w':
			options.world = optarg;
			break;
		case 'a':
			options.address = optarg;
			break;
		case 'p':
			options.port = optarg;
			break;
		case 't':
			options.tls = optarg;
			break;
		case 'l':
			options.log = optarg;
			break;
		case 'r':
			options.ready = optarg;
			break;
		case 's':
			options.lifetime = strtol(optarg, NULL, 10);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (options.world == NULL || optind != argc || options.lifetime < 1) {
		fputs(usage, stderr);
		exit(2);
	}
	return options;
}

/* A listening socket; the URL that leads to it goes to ret_url. */
static int
listen_at(const struct options *options, bool tls, char **ret_url)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE },
			*found = NULL;
	struct sockaddr_storage own;
	socklen_t length = sizeof own;
	char host[128], port[32];
	int fd, one = 1, r;

	if ((r = getaddrinfo(options->address, options->port, &hints, &found)) != 0)
		errx(2, "%s port %s: %s", options->address, options->port, gai_strerror(r));
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
	    bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&own, &length) < 0)
		err(4, "%s port %s", options->address, options->port);
	freeaddrinfo(found);
	if (getnameinfo((struct sockaddr *)&own, length, host, sizeof host, port, sizeof port,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		errx(4, "cannot name the own address");
	*ret_url = text_format(strchr(host, ':') != NULL ? "%s://[%s]:%s" : "%s://%s:%s",
			       tls ? "https" : "http", host, port);
	return fd;
}

static void
write_ready(const char *path, const char *url)
{
	char *temporary = text_format("%s.%ld", path, (long)getpid());
	FILE *file = fopen(temporary, "we");

	if (file == NULL || fprintf(file, "%s\n", url) < 0 || fclose(file) != 0 ||
	    rename(temporary, path) < 0)
		err(4, "%s", path);
	free(temporary);
}

/* Until a signal or the end of the lifetime. */
static void
wait_for_end(int signals, long lifetime)
{
	struct itimerspec end = { .it_value = { .tv_sec = lifetime } };
	struct pollfd wait[2] = { { .fd = signals, .events = POLLIN }, { .events = POLLIN } };

	wait[1].fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (wait[1].fd < 0 || timerfd_settime(wait[1].fd, 0, &end, NULL) < 0)
		err(4, "timer");
	while (poll(wait, 2, -1) < 0 && errno == EINTR)
		;
	close(wait[1].fd);
}

static int
block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void
serve(struct sim *sim, const struct options *options, const char *key, const char *certificate)
{
	int signals = block_signals(), listener = listen_at(options, key != NULL, &sim->url);
	struct MHD_Daemon *daemon;
	uint64_t wake = 1;

	sim->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (signals < 0 || sim->stop_fd < 0)
		err(4, "cannot set up");
	if ((daemon = server_start(sim, listener, key, certificate)) == NULL)
		errx(4, "cannot serve at %s", sim->url);
	if (options->ready != NULL)
		write_ready(options->ready, sim->url);
	else
		printf("%s\n", sim->url), fflush(stdout);
	wait_for_end(signals, options->lifetime);
	if (write(sim->stop_fd, &wake, sizeof wake) < 0)
		warn("eventfd");
	runcommand_end(sim);
	MHD_stop_daemon(daemon);
	close(sim->stop_fd);
	close(signals);
}

int
main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	struct sim sim = { .lock = PTHREAD_MUTEX_INITIALIZER, .tls = options.tls != NULL };
	char *why = NULL, *key = NULL, *certificate = NULL;

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		warn("prctl");
	clock_ms();
	json_object_seed(0);
	if (world_load(&sim, options.world, &why) < 0)
		errx(2, "%s", why != NULL ? why : "cannot load the world");
	if (options.tls != NULL &&
	    tls_prepare(options.tls, options.address, &key, &certificate, &why) < 0)
		errx(4, "%s", why != NULL ? why : "no certificate");
	if (options.log != NULL && log_open(options.log) < 0)
		err(4, "%s", options.log);
	serve(&sim, &options, key, certificate);
	log_close();
	world_free(&sim);
	free(sim.url);
	free(key);
	free(certificate);
	free(why);
	return 0;
}
