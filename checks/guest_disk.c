/* Room on the file systems that a login needs, and memory. */
#include "checks/checks.h"
#include "checks/guest.h"

#include <string.h>

enum { LITTLE_KB = 20480, LITTLE_PERCENT = 3 };

static bool
is_full(const struct fact_guest_disk *disk)
{
	return !disk->read_only &&
	       ((disk->used >= 100 && disk->free_kb < LITTLE_KB) || disk->inodes >= 100);
}

static int
judge_disk(const struct scene *scene, const struct fact_guest_disk *disk, struct finding *finding)
{
	bool inodes = disk->inodes >= 100;

	finding_text(finding, "mount", disk->mount);
	finding_number(finding, "used_percent", disk->used);
	finding_number(finding, "inodes_percent", disk->inodes);
	finding_number(finding, "free", disk->free_kb);
	guest_seen(finding, guest_log(scene, "No space left"),
		   "df says: %s uses %lld %% of its %s, %lld KiB are free.", disk->mount,
		   (long long)(inodes ? disk->inodes : disk->used), inodes ? "inodes" : "blocks",
		   (long long)disk->free_kb);
	/* sshd reads keys from a full disk; a login that failed may have another reason */
	finding_set(finding, scene->accepted ? WARN : FAIL, CODE_DISK_FULL,
		    "%s is full: no %s left", disk->mount, inodes ? "inodes" : "space");
	finding->confidence = scene->answers && !scene->accepted ? LIKELY : CERTAIN;
	return 0;
}

int
check_guest_disk(const struct scene *scene, const struct rule *rule, struct finding *finding)
{
	const struct fact_guest *guest = scene->guest;

	(void)rule;
	if (!guest_known(scene, finding, false))
		return 0;
	for (size_t i = 0; i < guest->disks_count; i++)
		if (is_full(&guest->disks[i]))
			return judge_disk(scene, &guest->disks[i], finding);
	for (size_t i = 0; i < guest->disks_count; i++)
		if (guest->disks[i].read_only && doc_same(guest->disks[i].mount, "/")) {
			finding_text(finding, "mount", guest->disks[i].mount);
			guest_seen(finding, NULL, "/proc/mounts shows %s as ro.",
				   guest->disks[i].mount);
			return finding_likely(finding, WARN, CODE_DISK_READ_ONLY,
					      "%s is mounted read-only", guest->disks[i].mount);
		}
	if (guest->memory_kb > 0 && guest->memory_free_kb >= 0 &&
	    guest->memory_free_kb * 100 < guest->memory_kb * LITTLE_PERCENT) {
		finding_number(finding, "free", guest->memory_free_kb);
		guest_seen(finding, NULL, "/proc/meminfo shows %lld KiB of %lld KiB available.",
			   (long long)guest->memory_free_kb, (long long)guest->memory_kb);
		return finding_likely(finding, WARN, CODE_MEMORY_SHORT,
				      "the VM has %lld KiB of memory left",
				      (long long)guest->memory_free_kb);
	}
	if (guest->disks_count == 0)
		return finding_set(finding, SKIP, CODE_NOTHING_TO_CHECK,
				   "the VM's answer tells nothing of its disks");
	return finding_set(finding, PASS, CODE_GUEST_DISK_FINE,
			   "there is room on all file systems that a login needs");
}
