/* What the rehearsal by the user's own ssh says to other checks. ssh decides what ssh does: where
 * it stopped, an explanation of ours is kept only if it fits. */
#ifndef CHECKS_SSH_WORD_H
#define CHECKS_SSH_WORD_H

#include "checks/checks.h"
#include "checks/scene.h"

/* The rehearsal, when ssh stopped there; NULL else. */
const struct fact_rehearsal *ssh_stopped_at(const struct scene *scene, enum rehearsal_stage stage);

/* true when a new connection of ssh came further than that. */
bool ssh_came_past(const struct scene *scene, enum rehearsal_stage stage);

/* true when ssh stopped at a proxy that would have asked the user a question. */
bool ssh_proxy_may_ask(const struct scene *scene);

/* The code that says that ssh stopped there. */
enum code ssh_rehearsal_code(enum rehearsal_stage stage);

/* The check whose subject is where ssh stopped, and the hop of the path; CHECK_NONE and HOP_COUNT
 * when the code does not say that. */
enum check_id ssh_rehearsal_subject(enum code code);
enum hop ssh_rehearsal_hop(enum code code);

/* true when ssh stopped where this failure of another check would stop it. */
bool ssh_rehearsal_fits(const struct finding *cause, const struct finding *rehearsal);

/* true when ssh itself came past what this finding says. */
bool ssh_came_past_finding(const struct scene *scene, const struct finding *finding);

#endif
