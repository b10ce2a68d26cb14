/* The ways to sign in; each ends its try as signin.h says. chain.c has their order. */
#ifndef AZURE_CREDENTIALS_H
#define AZURE_CREDENTIALS_H

#include "azure/signin/signin.h"

void credential_secret(struct signin *signin);
void credential_certificate(struct signin *signin);
void credential_workload(struct signin *signin);
void credential_github(struct signin *signin);
void credential_managed(struct signin *signin);
void credential_cli(struct signin *signin);

#endif
