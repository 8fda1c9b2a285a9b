/* Preloaded into csf: counts what the process asks of libc that changes files, and answers the N-th
   with an error or a signal. Only paths below one directory count, and starts of programs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { COUNT, SIGNAL, FAIL, DEAD };
enum { ON_EIO = 1, ON_ENOSPC = 2, ON_EACCES = 4, ON_ALL = 7 }; /* which errors a call may end with */

static pid_t armed;
static int paused, how, what;
static long count, at;
static char within[PATH_MAX];
static int list = -1;

/* Let calls count from now on, in this process and in no child of it. */
void strike_arm(const char *directory, int how_, int what_, long at_, int list_)
{
    snprintf(within, sizeof within, "%s", directory);
    how = how_, what = what_, at = at_, list = list_, count = 0;
    armed = getpid();
}

void strike_pause(int pause_)
{
    paused = pause_;
}

static int inside(const char *path)
{
    size_t size = strlen(within);
    return strncmp(path, within, size) == 0 && (path[size] == '/' || path[size] == 0);
}

static int believable(int can)
{
    return (what == EIO && can & ON_EIO) || (what == ENOSPC && can & ON_ENOSPC) ||
           (what == EACCES && can & ON_EACCES);
}

/* Count a call; return whether it is to fail, with errno set. */
static int struck(const char *name, const char *path, int can)
{
    char line[PATH_MAX + 64];
    if (armed != getpid() || paused || !path || !inside(path))
        return 0;
    count++;
    if (list >= 0) {
        int size = snprintf(line, sizeof line, "%s %d %s\n", name, can, path + strlen(within));
        if (syscall(SYS_write, list, line, size) < 0)
            return 0;
    }
    if (how == SIGNAL && count == at)
        kill(getpid(), what);
    if (((how == FAIL && count == at) || (how == DEAD && count >= at)) && believable(can)) {
        errno = what;
        return 1;
    }
    return 0;
}

static const char *of_descriptor(int descriptor, char *path)
{
    char link[64];
    if (armed != getpid() || paused)
        return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size < 0)
        return NULL;
    path[size] = 0;
    return path;
}

static const char *at_descriptor(int descriptor, const char *name, char *path)
{
    size_t size;
    if (name[0] == '/' || descriptor == AT_FDCWD)
        return name;
    if (!of_descriptor(descriptor, path))
        return NULL;
    size = strlen(path);
    snprintf(path + size, PATH_MAX - size, "/%s", name);
    return path;
}

static int writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
}

static int opening(int flags)
{
    return flags & O_CREAT ? ON_ALL : ON_EIO | ON_EACCES;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define MODE(flags, mode)                                                                          \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
    }

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        REAL(name);                                                                                \
        MODE(flags, mode)                                                                          \
        if (writes(flags) && struck(#name, path, opening(flags)))                                  \
            return -1;                                                                             \
        return real(path, flags, mode);                                                            \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int directory, const char *path, int flags, ...)                                      \
    {                                                                                              \
        REAL(name);                                                                                \
        MODE(flags, mode)                                                                          \
        char whole[PATH_MAX];                                                                      \
        const char *found = at_descriptor(directory, path, whole);                                 \
        if (writes(flags) && struck(#name, found, opening(flags)))                                 \
            return -1;                                                                             \
        return real(directory, path, flags, mode);                                                 \
    }
OPENAT(openat)
OPENAT(openat64)

/* A call whose arguments are `declared` and passed on as `passed`, about an open file. */
#define DESCRIPTOR(result, name, can, declared, passed)                                            \
    result name declared                                                                           \
    {                                                                                              \
        REAL(name);                                                                                \
        char whole[PATH_MAX];                                                                      \
        if (struck(#name, of_descriptor(descriptor, whole), can))                                  \
            return -1;                                                                             \
        return real passed;                                                                        \
    }
DESCRIPTOR(ssize_t, write, ON_EIO | ON_ENOSPC, (int descriptor, const void *data, size_t size),
           (descriptor, data, size))
DESCRIPTOR(ssize_t, pwrite, ON_EIO | ON_ENOSPC,
           (int descriptor, const void *data, size_t size, off_t where),
           (descriptor, data, size, where))
DESCRIPTOR(ssize_t, pwrite64, ON_EIO | ON_ENOSPC,
           (int descriptor, const void *data, size_t size, off64_t where),
           (descriptor, data, size, where))
DESCRIPTOR(int, fsync, ON_EIO | ON_ENOSPC, (int descriptor), (descriptor))
DESCRIPTOR(int, fdatasync, ON_EIO | ON_ENOSPC, (int descriptor), (descriptor))
DESCRIPTOR(int, ftruncate, ON_EIO, (int descriptor, off_t size), (descriptor, size))
DESCRIPTOR(int, ftruncate64, ON_EIO, (int descriptor, off64_t size), (descriptor, size))
DESCRIPTOR(int, fchmod, ON_EIO | ON_EACCES, (int descriptor, mode_t mode), (descriptor, mode))
DESCRIPTOR(int, fchown, ON_EIO | ON_EACCES, (int descriptor, uid_t user, gid_t group),
           (descriptor, user, group))
DESCRIPTOR(int, flock, ON_EIO, (int descriptor, int operation), (descriptor, operation))
DESCRIPTOR(int, fsetxattr, ON_ALL,
           (int descriptor, const char *key, const void *value, size_t size, int flags),
           (descriptor, key, value, size, flags))

/* What fails at close has been closed all the same; of what was only read it means nothing. */
int close(int descriptor)
{
    REAL(close);
    char whole[PATH_MAX];
    const char *path = of_descriptor(descriptor, whole);
    int failed = path && writes(fcntl(descriptor, F_GETFL)) && struck("close", path, ON_EIO);
    int result = real(descriptor);
    if (failed)
        errno = what;
    return failed ? -1 : result;
}

#define PATH(name, can, declared, passed)                                                          \
    int name declared                                                                              \
    {                                                                                              \
        REAL(name);                                                                                \
        if (struck(#name, path, can))                                                              \
            return -1;                                                                             \
        return real passed;                                                                        \
    }
PATH(unlink, ON_EIO | ON_EACCES, (const char *path), (path))
PATH(rmdir, ON_EIO | ON_EACCES, (const char *path), (path))
PATH(mkdir, ON_ALL, (const char *path, mode_t mode), (path, mode))
PATH(chmod, ON_EIO | ON_EACCES, (const char *path, mode_t mode), (path, mode))
PATH(chown, ON_EIO | ON_EACCES, (const char *path, uid_t user, gid_t group), (path, user, group))
PATH(lchown, ON_EIO | ON_EACCES, (const char *path, uid_t user, gid_t group), (path, user, group))
PATH(rename, ON_ALL, (const char *path, const char *to), (path, to))
PATH(link, ON_ALL, (const char *path, const char *to), (path, to))
PATH(setxattr, ON_ALL,
     (const char *path, const char *key, const void *value, size_t size, int flags),
     (path, key, value, size, flags))
PATH(lsetxattr, ON_ALL,
     (const char *path, const char *key, const void *value, size_t size, int flags),
     (path, key, value, size, flags))

#define PATH_AT(name, can, declared, passed)                                                       \
    int name declared                                                                              \
    {                                                                                              \
        REAL(name);                                                                                \
        char whole[PATH_MAX];                                                                      \
        if (struck(#name, at_descriptor(directory, path, whole), can))                             \
            return -1;                                                                             \
        return real passed;                                                                        \
    }
PATH_AT(unlinkat, ON_EIO | ON_EACCES, (int directory, const char *path, int flags),
        (directory, path, flags))
PATH_AT(mkdirat, ON_ALL, (int directory, const char *path, mode_t mode), (directory, path, mode))
PATH_AT(fchmodat, ON_EIO | ON_EACCES, (int directory, const char *path, mode_t mode, int flags),
        (directory, path, mode, flags))
PATH_AT(fchownat, ON_EIO | ON_EACCES,
        (int directory, const char *path, uid_t user, gid_t group, int flags),
        (directory, path, user, group, flags))
PATH_AT(renameat, ON_ALL, (int directory, const char *path, int into, const char *to),
        (directory, path, into, to))
PATH_AT(linkat, ON_ALL, (int directory, const char *path, int into, const char *to, int flags),
        (directory, path, into, to, flags))

/* Starts of programs have no path; a vfork may be a fork, which is simpler to stand in front of. */
static pid_t forked(const char *name)
{
    pid_t (*real)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
    if (struck(name, within, ON_EIO)) {
        errno = EAGAIN;
        return -1;
    }
    return real();
}
pid_t fork(void)
{
    return forked("fork");
}
pid_t vfork(void)
{
    return forked("vfork");
}
