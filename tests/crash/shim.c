/* Preloaded into accsearch's schedulers and keepers: lets calls on files below a folder fail, by number.
 *
 * CRASH_PREFIX is the folder; CRASH_CONTROL a file with a struct control, shared by all processes and changed
 * by the test while they run; CRASH_TRACE, if set, a file that gets one line a call: "number call path".
 * A failing write has written half of its bytes before; one in place (pwrite), which stays within a page,
 * has not. Error 0 kills the process instead; -n makes the call n milliseconds late.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

struct control {
    _Atomic unsigned long count; /* calls so far */
    unsigned long first, last;   /* those that fail; none while first is 0 */
    unsigned long calls;         /* bit set of enum call: which are counted */
    long error;
};

enum call { OPEN, CREATE, WRITE, SYNC, RENAME, UNLINK, MKDIR, TRUNCATE };
static const char *const NAMES[] = {"open", "create", "write", "sync", "rename", "unlink", "mkdir", "truncate"};

static struct control *control;
static const char *prefix;
static size_t length;
static const char *trace;

/* Workers inherit the environment, but are none of our business. */
static int is_ours(void) {
    char line[65536];
    int file = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
    ssize_t size = file < 0 ? 0 : read(file, line, sizeof line);
    if (file >= 0) close(file);
    for (ssize_t at = 0; at < size; at += (ssize_t)strnlen(line + at, (size_t)(size - at)) + 1)
        if (!strcmp(line + at, "accsearch") || !strcmp(line + at, "accsearch.keeper")) return 1;
    return 0;
}

__attribute__((constructor)) static void set_up(void) {
    const char *path = getenv("CRASH_CONTROL");
    prefix = getenv("CRASH_PREFIX");
    if (!path || !prefix || !is_ours()) return;
    length = strlen(prefix);
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (file < 0) return;
    void *memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return;
    control = memory;
    trace = getenv("CRASH_TRACE");
}

/* Count a call on `path`; return whether it fails, with errno set. */
static int fails(enum call call, const char *path) {
    if (!control || !path || strncmp(path, prefix, length) || !(control->calls >> call & 1)) return 0;
    unsigned long number = atomic_fetch_add(&control->count, 1) + 1;
    if (trace) {
        char line[PATH_MAX + 64];
        int size = snprintf(line, sizeof line, "%lu %s %s\n", number, NAMES[call], path + length);
        /* Opened anew each time: a keeper closes whatever it has inherited. */
        int file = (int)syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (syscall(SYS_write, file, line, (size_t)size) < 0) trace = NULL;
        close(file);
    }
    if (!control->first || number < control->first || number > control->last) return 0;
    if (control->error < 0) {
        int before = errno;
        usleep((useconds_t)(-control->error * 1000));
        errno = before;
        return 0;
    }
    errno = (int)control->error;
    return 1;
}

static int give_up(void) {
    if (!control->error) raise(SIGKILL);
    errno = (int)control->error;
    return -1;
}

static int fails_fd(enum call call, int file) {
    char link[64], path[PATH_MAX];
    if (!control) return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = before;
    if (size < 0) return 0;
    path[size] = 0;
    return fails(call, path);
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    if (fails(flags & O_CREAT ? CREATE : OPEN, path)) return give_up();
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

static mode_t mode_of(int flags, va_list rest) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN_AS(name)                                   \
    int name(const char *path, int flags, ...) {        \
        va_list rest;                                   \
        va_start(rest, flags);                          \
        mode_t mode = mode_of(flags, rest);             \
        va_end(rest);                                   \
        return open_at(AT_FDCWD, path, flags, mode);    \
    }
#define OPENAT_AS(name)                                     \
    int name(int folder, const char *path, int flags, ...) { \
        va_list rest;                                       \
        va_start(rest, flags);                              \
        mode_t mode = mode_of(flags, rest);                 \
        va_end(rest);                                       \
        return open_at(folder, path, flags, mode);          \
    }
OPEN_AS(open)
OPEN_AS(open64)
OPENAT_AS(openat)
OPENAT_AS(openat64)

ssize_t write(int file, const void *data, size_t size) {
    if (fails_fd(WRITE, file)) {
        if (syscall(SYS_write, file, data, size / 2) < 0) return -1;
        return give_up();
    }
    return syscall(SYS_write, file, data, size);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    if (fails_fd(WRITE, file)) return give_up();
    return syscall(SYS_pwrite64, file, data, size, at);
}
ssize_t pwrite64(int file, const void *data, size_t size, off_t at) { return pwrite(file, data, size, at); }

int fsync(int file) { return fails_fd(SYNC, file) ? give_up() : (int)syscall(SYS_fsync, file); }
int fdatasync(int file) { return fails_fd(SYNC, file) ? give_up() : (int)syscall(SYS_fdatasync, file); }

int rename(const char *from, const char *to) {
    return fails(RENAME, to) ? give_up() : (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}
int unlink(const char *path) {
    return fails(UNLINK, path) ? give_up() : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
int mkdir(const char *path, mode_t mode) {
    return fails(MKDIR, path) ? give_up() : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
int ftruncate(int file, off_t size) {
    return fails_fd(TRUNCATE, file) ? give_up() : (int)syscall(SYS_ftruncate, file, size);
}
int ftruncate64(int file, off_t size) { return ftruncate(file, size); }
