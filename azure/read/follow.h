/* Following what a VM refers to: its NICs, their addresses, subnets, groups, balancers... */
#ifndef AZURE_FOLLOW_H
#define AZURE_FOLLOW_H

#include "azure/read/reader.h"

/* Fetches the resource and whatever it refers to in turn; the network waits. */
void follow(struct vm_reader *reader, const char *id);

#endif
