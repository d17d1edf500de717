// Shifts CLOCK_REALTIME by the seconds written in the file $WALL_CLOCK_OFFSET, read anew at every call.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    const char *path = getenv("WALL_CLOCK_OFFSET");
    FILE *file = result == 0 && clock == CLOCK_REALTIME && path ? fopen(path, "r") : NULL;
    if (file) {
        long offset = 0;
        if (fscanf(file, "%ld", &offset) == 1)
            now->tv_sec += offset;
        fclose(file);
    }
    return result;
}
