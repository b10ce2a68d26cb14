/* The credentials there are. */
#ifndef AZURE_CREDENTIALS_H
#define AZURE_CREDENTIALS_H

#include "azure/signin/signin.h"

extern const struct credential credential_secret, credential_certificate, credential_workload,
    credential_github, credential_managed, credential_cli;

#endif
