/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* What is recorded: every filter that is on must accept; a filter accepts any of its values. */
#ifndef AFTERTRACE_FILTER_H
#define AFTERTRACE_FILTER_H

#include "../maps.h"
#include "field.h"

/* Deepest cgroup nesting below which an ancestor is still found. */
#define CGROUP_DEPTH_MAX 16

static __always_inline bool port_listed(__u16 port)
{
	return wanted_ports[port / 64] >> (port % 64) & 1;
}

static __always_inline bool ports_wanted(const struct sock *sk)
{
	return !filter_ports || port_listed(FIELD(sk, __sk_common.skc_num)) ||
	       port_listed(bpf_ntohs(FIELD(sk, __sk_common.skc_dport)));
}

/* Unix sockets have no port: a filter on ports lets none of them through. */
static __always_inline bool socket_wanted(const struct sock *sk, bool is_unix)
{
	return !filter_ports || (!is_unix && ports_wanted(sk));
}

static __always_inline bool tgid_wanted(__u32 tgid)
{
	return tgid != own_tgid && (!filter_tgids || bpf_map_lookup_elem(&wanted_tgids, &tgid));
}

/* By the name of the process, not that of the thread: runtimes name their threads freely. */
static __always_inline bool name_wanted(struct task_struct *task)
{
	struct task_name name = {};

	if (!filter_names)
		return true;
	bpf_probe_read_kernel_str(name.text, sizeof(name.text), task->group_leader->comm);
	/* Bytes behind the NUL may differ between tasks of one name: the key must not hold them. */
	return bpf_map_lookup_elem(&wanted_names, &name);
}

static __always_inline __u64 task_cgroup(struct task_struct *task)
{
	return task->cgroups->dfl_cgrp->kn->id;
}

static __always_inline bool current_cgroup_wanted(void)
{
	if (!filter_cgroups)
		return true;
	for (int level = 0; level < CGROUP_DEPTH_MAX; level++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);

		if (!id)
			return false;
		if (bpf_map_lookup_elem(&wanted_cgroups, &id))
			return true;
	}
	return false;
}

/* @id: of the current task, as bpf_get_current_pid_tgid() gives it */
static __always_inline bool current_wanted(__u64 id)
{
	return tgid_wanted(id >> 32) &&
	       (!filter_names || name_wanted(bpf_get_current_task_btf())) &&
	       current_cgroup_wanted();
}

/* For a task that is not the current one; of its cgroups only the innermost is compared. */
static __always_inline bool task_wanted(struct task_struct *task)
{
	if (!tgid_wanted(task->tgid) || !name_wanted(task))
		return false;
	if (filter_cgroups) {
		__u64 id = task_cgroup(task);

		return bpf_map_lookup_elem(&wanted_cgroups, &id);
	}
	return true;
}

#endif
