/* One task of the scheduling benchmark: `task ID TABLE TIMES` sleeps for the time that TABLE gives ID (lines of
 * "ID milliseconds"), appends "ID start end" (monotonic seconds) to TIMES, and prints the success sentinel. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    double start = now(), milliseconds = 0, value;
    char name[256], line[512];
    if (argc != 4) return 2;
    FILE *table = fopen(argv[2], "r");
    if (!table) return 2;
    while (fscanf(table, "%255s %lf", name, &value) == 2)
        if (!strcmp(name, argv[1])) milliseconds = value;
    fclose(table);
    if (milliseconds > 0) {
        struct timespec pause = {(time_t)(milliseconds / 1000), (long)(milliseconds * 1e6) % 1000000000L};
        nanosleep(&pause, NULL);
    }
    int times = open(argv[3], O_WRONLY | O_APPEND | O_CREAT, 0644);
    int length = snprintf(line, sizeof line, "%s %.6f %.6f\n", argv[1], start, now());
    if (times < 0 || write(times, line, length) != length) return 1;
    puts("Successfully completed");
    return 0;
}
