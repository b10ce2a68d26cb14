/* What the checks of the conversation (dns, tcp, banner, kex, auth) share: sections that are not
 * known, the VM's own addresses, kinds of addresses. Pure, as the checks are. */
#ifndef CHECKS_TALK_H
#define CHECKS_TALK_H

#include "checks/finding.h"
#include "checks/scene.h"

/* For checks that judge some sections that are not known: sets SKIP or UNKNOWN as the run's guard
 * does, and returns true, unless the section is known. */
bool talk_missing(const struct facts *facts, enum fact_section section, struct finding *finding);

/* The VM's addresses as Azure tells them, its load balancers' and firewalls' included: a new array
 * of texts, public ones first (the caller frees with json_decref); *fqdn becomes the first DNS name
 * among them, borrowed, or NULL. Empty when nothing is known. */
json_t *talk_vm_addresses(const struct scene *scene, const char **fqdn);

/* The VM's own public address, NULL when none is known. */
const char *talk_vm_public(const struct scene *scene);

bool address_is_v6(const char *text);

/* true for 198.18.0.0/15, which proxies on the own machine hand out for names that they intercept;
 * they accept every connection at once. */
bool address_is_stand_in(const char *text);

/* Adds bastion, bastion_rg and identity, which the remedies that go round a blocked port name. */
void talk_way_around(const struct scene *scene, struct finding *finding);

/* What the reference server (--reference) says of a conversation that broke: it fares no better, so
 * that the fault lies before both; it answers as SSH does, so that this network is not to blame; or
 * nothing. Its address becomes evidence ("reference"). */
enum talk_reference { REFERENCE_NONE, REFERENCE_FINE, REFERENCE_BROKEN };
enum talk_reference talk_reference(const struct scene *scene, struct finding *finding);

/* true when the security rules admit the address that this machine was said to connect from, and
 * turn away another one that it has been seen with; adds both and what a rule for the other one
 * needs. */
bool talk_egress_differs(const struct scene *scene, struct finding *finding);

/* The connection timed out although the just-in-time request is for the address that this computer
 * was said to connect from: another address that it has been seen with, which the request leaves
 * out. NULL when there is none. */
const char *egress_outside_request(const struct scene *scene);

/* Names all these codes as possible causes; the list ends with CODE_CUSTOM. */
void talk_possible(struct finding *finding, const enum code *codes);

#endif
