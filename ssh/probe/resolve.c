#include "ssh/probe/name_server.h"
#include "ssh/ssh.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The name of getaddrinfo's error as it stands in the header. */
static const char *
eai_word(int error)
{
	static const struct {
		int error;
		const char *word;
	} words[] = {
		{ EAI_NONAME, "EAI_NONAME" },
		{ EAI_AGAIN, "EAI_AGAIN" },
		{ EAI_FAIL, "EAI_FAIL" },
		{ EAI_FAMILY, "EAI_FAMILY" },
		{ EAI_MEMORY, "EAI_MEMORY" },
		{ EAI_SYSTEM, "EAI_SYSTEM" },
		{ EAI_OVERFLOW, "EAI_OVERFLOW" },
#ifdef EAI_NODATA
		{ EAI_NODATA, "EAI_NODATA" },
#endif
#ifdef EAI_ADDRFAMILY
		{ EAI_ADDRFAMILY, "EAI_ADDRFAMILY" },
#endif
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].error == error)
			return words[i].word;
	return "EAI_FAIL";
}

int
ssh_resolve_main(const char *name)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM },
			*found = NULL;
	char text[NI_MAXHOST];
	int r = getaddrinfo(name, NULL, &hints, &found);

	if (r != 0) {
		puts(eai_word(r));
		if ((r == EAI_AGAIN || r == EAI_FAIL) && (r = name_server_code(name)) > 0)
			printf("RCODE %d\n", r);
		return 1;
	}
	for (const struct addrinfo *each = found; each != NULL; each = each->ai_next)
		if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof(text), NULL, 0,
				NI_NUMERICHOST) == 0)
			puts(text);
	freeaddrinfo(found);
	return 0;
}
