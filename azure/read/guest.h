/* The scripts of --guest, a line each, as the build makes them of guest.sh and guest.ps1. */
#ifndef AZURE_GUEST_H
#define AZURE_GUEST_H

#include <stddef.h>

extern const char *const guest_sh[], *const guest_ps1[];

#endif
