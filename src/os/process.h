// What a process can know about itself and its threads.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/time.h"

namespace ginnel::os {

// How many threads can run at once: the CPUs this process may use, and no more than the quota of
// its container. At least 1.
unsigned cpu_count();

// The CPUs that the text of a cgroup's cpu.max allows, rounded up: "150000 100000" is 2. Zero when
// it sets no limit or is not understood.
unsigned cpus_of_quota(std::string_view cpu_max);

// Memory that is really in use.
std::size_t resident_bytes();

// CPU time that the calling thread has used.
Duration thread_cpu_time();

// CPU time that all threads of this process have used, those that have ended included.
Duration process_cpu_time();

// What `top -H` shows for the calling thread. Linux keeps kMaxThreadName bytes.
inline constexpr std::size_t kMaxThreadName = 15;
void set_thread_name(std::string_view name);

// Gives the calling thread alone a nice value, and a time slice: who has a short one is let run
// sooner when it wakes, where the kernel knows them (from Linux 6.12 on). Zero is the kernel's own.
// False when it may not have the nice value: a lower one takes CAP_SYS_NICE or allow_thread_nice().
// How much it counts for is up to cgroups and sessions.
bool set_thread_nice(int nice, Duration slice = {});
// Lets threads of this process take nice values down to `nice` when it has given CAP_SYS_NICE up.
// False when it may not.
bool allow_thread_nice(int nice);

pid_t process_id();

std::string kernel_release();  // "6.1.0-28-amd64"

// Whether it runs as root: for where files are by default. What it may do, says os/capability.h.
bool is_root();

// The short name of a process; empty when there is none of that number.
std::string process_name(pid_t pid);

}  // namespace ginnel::os
