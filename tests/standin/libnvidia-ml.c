/* A stand-in for libnvidia-ml.so.1, so that tests run the real nvidia-ml-py on a machine without a GPU.
 *
 * What it answers comes from the text file named by STANDIN_NVML_STATE, read again at each call, one key a line:
 *
 *   driver 575.57.08            version strings        cuda 12090
 *   error FUNCTION CODE         before the first gpu: a call without a device fails with CODE
 *   gpu                         starts a GPU; the keys below belong to it
 *   instance                    starts a MIG instance of the last GPU; the same keys belong to it
 *     uuid name bus             strings (bus: 00000000:1B:00.0)
 *     total reserved used       bytes
 *     utilization power         percent and milliwatts; "unsupported" answers NVML_ERROR_NOT_SUPPORTED
 *     memory unsupported|zero   memory is not known (unified memory): NVML_ERROR_NOT_SUPPORTED, or zeros
 *     compute_mode N            0 default, 1 and 3 exclusive, 2 prohibited; "unsupported"
 *     clock reasons             MHz of the multiprocessors and NVML's bits of what holds it down; "unsupported"
 *     mig 0|1|unsupported       MIG mode
 *     process PID BYTES         a compute process; its bytes come on top of `used` (BYTES -1: not known)
 *     graphics PID BYTES        a graphics process
 *     holders FOLDER LINGER     each file FOLDER/PID holding a number of bytes is a compute process for as long as
 *                               PID lives; its memory stays LINGER seconds longer (-1: for ever)
 *     error FUNCTION CODE       that call on this device fails with CODE; FUNCTION * stands for all of them
 *
 * Each call appends its function's name, and the device's uuid, to the file named by STANDIN_NVML_CALLS.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6,
       INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15, DRIVER_NOT_LOADED = 9, FUNCTION_NOT_FOUND = 13 };
enum { MAX_GPUS = 64, MAX_INSTANCES = 8, MAX_PROCESSES = 64, MAX_ERRORS = 16 };
#define UNSUPPORTED (-2LL)
#define MEMORY_V2 (sizeof(memory_v2_t) | (2u << 24))

typedef unsigned long long u64;
typedef struct { u64 total, free, used; } memory_t;
typedef struct { unsigned version; u64 total, reserved, free, used; } memory_v2_t;
typedef struct { unsigned gpu, memory; } utilization_t;
typedef struct { unsigned pid; u64 used; unsigned gpu_instance, compute_instance; } process_t;
typedef struct { char bus_legacy[16]; unsigned domain, bus, device, pci_device, pci_subsystem; char bus_id[32]; } pci_t;
typedef struct { char function[64]; int code; } failure_t;

typedef struct {
    char uuid[96], name[96], bus[32];
    u64 total, reserved, used;
    long long utilization, power, mig, compute_mode, clock, reasons;
    int memory_unsupported, memory_zero, is_instance, instances;
    process_t compute[MAX_PROCESSES], graphics[MAX_PROCESSES];
    int compute_count, graphics_count, error_count;
    u64 lingering;
    failure_t errors[MAX_ERRORS];
} device_t;

typedef struct {
    char driver[80];
    int cuda, gpus, error_count;
    failure_t errors[MAX_ERRORS];
} machine_t;

/* A handle is the address of its slot: one row a GPU, column 0 the GPU, the others its MIG instances. */
static char slots[MAX_GPUS][MAX_INSTANCES + 1];
static machine_t machine;
static device_t devices[MAX_GPUS][MAX_INSTANCES + 1];
static int initialized;

static double age(struct timespec then) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)(now.tv_sec - then.tv_sec) + (double)(now.tv_nsec - then.tv_nsec) / 1e9;
}

/* A zombie has given its memory back, and a process younger than its file is another one with the same pid. */
static int lives(long pid, double file_age) {
    char path[64], text[512], state;
    u64 start;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
                        &state, &start) != 2)
        return 0;
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    double process_age = (double)boot.tv_sec + (double)boot.tv_nsec / 1e9 - (double)start / (double)sysconf(_SC_CLK_TCK);
    return state != 'Z' && state != 'X' && process_age > file_age - 1.0;
}

static void add_process(process_t *list, int *count, unsigned pid, u64 bytes) {
    if (*count < MAX_PROCESSES) list[(*count)++] = (process_t){pid, bytes, 0xFFFFFFFFu, 0xFFFFFFFFu};
}

static void add_holders(device_t *device, const char *folder, double linger) {
    DIR *listing = opendir(folder);
    struct dirent *entry;
    if (!listing) return;
    while ((entry = readdir(listing))) {
        char path[4096 + 300], gone[4096 + 320], *end;
        long pid = strtol(entry->d_name, &end, 10);
        struct stat facts;
        u64 bytes = 0;
        if (*end || pid <= 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        snprintf(gone, sizeof gone, "%s.gone", path);
        FILE *file = fopen(path, "r");
        if (!file || fstat(fileno(file), &facts) != 0) { if (file) fclose(file); continue; }
        if (fscanf(file, "%llu", &bytes) != 1) bytes = 0;
        fclose(file);
        if (lives(pid, age(facts.st_mtim))) { add_process(device->compute, &device->compute_count, (unsigned)pid, bytes); continue; }
        /* The first call that finds the process gone starts the time its memory lingers. */
        int mark = open(gone, O_CREAT | O_RDONLY | O_CLOEXEC, 0644);
        if (mark >= 0) { fstat(mark, &facts); close(mark); }
        if (linger < 0 || age(facts.st_mtim) < linger) device->lingering += bytes;
        else { unlink(path); unlink(gone); }
    }
    closedir(listing);
}

static long long number(const char *text) { return strncmp(text, "unsupported", 11) ? atoll(text) : UNSUPPORTED; }

static void read_device_key(device_t *d, const char *key, const char *value) {
    char folder[4096];
    double linger = 0;
    unsigned pid;
    long long bytes;
    if (!strcmp(key, "uuid")) snprintf(d->uuid, sizeof d->uuid, "%s", value);
    else if (!strcmp(key, "name")) snprintf(d->name, sizeof d->name, "%s", value);
    else if (!strcmp(key, "bus")) snprintf(d->bus, sizeof d->bus, "%s", value);
    else if (!strcmp(key, "total")) d->total = (u64)number(value);
    else if (!strcmp(key, "reserved")) d->reserved = (u64)number(value);
    else if (!strcmp(key, "used")) d->used = (u64)number(value);
    else if (!strcmp(key, "utilization")) d->utilization = number(value);
    else if (!strcmp(key, "power")) d->power = number(value);
    else if (!strcmp(key, "mig")) d->mig = number(value);
    else if (!strcmp(key, "compute_mode")) d->compute_mode = number(value);
    else if (!strcmp(key, "clock")) d->clock = number(value);
    else if (!strcmp(key, "reasons")) d->reasons = number(value);
    else if (!strcmp(key, "memory")) {
        d->memory_unsupported = number(value) == UNSUPPORTED;
        d->memory_zero = !strcmp(value, "zero");
    }
    else if (!strcmp(key, "process") && sscanf(value, "%u %lld", &pid, &bytes) == 2)
        add_process(d->compute, &d->compute_count, pid, (u64)bytes);
    else if (!strcmp(key, "graphics") && sscanf(value, "%u %lld", &pid, &bytes) == 2)
        add_process(d->graphics, &d->graphics_count, pid, (u64)bytes);
    else if (!strcmp(key, "holders") && sscanf(value, "%4095s %lf", folder, &linger) >= 1) add_holders(d, folder, linger);
}

static void read_error(failure_t *list, int *count, const char *value) {
    if (*count < MAX_ERRORS && sscanf(value, "%63s %d", list[*count].function, &list[*count].code) == 2) ++*count;
}

static void read_state(void) {
    char line[8192], key[64];
    const char *path = getenv("STANDIN_NVML_STATE");
    FILE *file = path ? fopen(path, "re") : NULL;
    device_t *device = NULL;
    memset(&machine, 0, sizeof machine);
    memset(devices, 0, sizeof devices);
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        int used = 0;
        line[strcspn(line, "\n")] = 0;
        if (sscanf(line, " %63s %n", key, &used) < 1 || key[0] == '#') continue;
        const char *value = line + used;
        if (!strcmp(key, "gpu") && machine.gpus < MAX_GPUS) { device = &devices[machine.gpus++][0]; }
        else if (!strcmp(key, "instance") && machine.gpus && devices[machine.gpus - 1][0].instances < MAX_INSTANCES) {
            device_t *parent = &devices[machine.gpus - 1][0];
            device = parent + ++parent->instances;
            device->is_instance = 1;
        }
        else if (!strcmp(key, "error")) {
            if (device) read_error(device->errors, &device->error_count, value);
            else read_error(machine.errors, &machine.error_count, value);
        }
        else if (device) read_device_key(device, key, value);
        else if (!strcmp(key, "driver")) snprintf(machine.driver, sizeof machine.driver, "%s", value);
        else if (!strcmp(key, "cuda")) machine.cuda = atoi(value);
    }
    fclose(file);
}

static void count_call(const char *function, const device_t *device) {
    char line[256];
    const char *path = getenv("STANDIN_NVML_CALLS");
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    int length = snprintf(line, sizeof line, "%s %s\n", function, device ? device->uuid : "-");
    if (write(file, line, (size_t)length) < 0) { /* a full disk costs the count of one call */ }
    close(file);
}

static int failure(const failure_t *list, int count, const char *function) {
    for (int i = 0; i < count; i++)
        if (!strcmp(list[i].function, function) || !strcmp(list[i].function, "*")) return list[i].code;
    return SUCCESS;
}

/* Begin a call without a device: read the state, count, and answer the error it is to have. */
static int begin(const char *function) {
    read_state();
    count_call(function, NULL);
    if (!initialized) return UNINITIALIZED;
    return failure(machine.errors, machine.error_count, function);
}

/* Begin a call on a device; `found` is set to it on success. */
static int begin_on(const char *function, void *handle, device_t **found) {
    size_t offset = (size_t)((char *)handle - &slots[0][0]);
    read_state();
    if (!initialized) { count_call(function, NULL); return UNINITIALIZED; }
    if (offset >= sizeof slots) { count_call(function, NULL); return INVALID_ARGUMENT; }
    size_t row = offset / (MAX_INSTANCES + 1), column = offset % (MAX_INSTANCES + 1);
    device_t *device = &devices[row][column];
    count_call(function, device);
    if ((int)row >= machine.gpus || (int)column > devices[row][0].instances) return GPU_IS_LOST;
    *found = device;
    return failure(device->errors, device->error_count, function);
}

#define EXPORT __attribute__((visibility("default")))
#define BEGIN() do { int code_ = begin(__func__); if (code_) return code_; } while (0)
#define BEGIN_ON(handle) device_t *d = NULL; do { int code_ = begin_on(__func__, handle, &d); if (code_) return code_; } while (0)

static int copy(char *target, unsigned size, const char *text) {
    if (strlen(text) >= size) return INSUFFICIENT_SIZE;
    strcpy(target, text);
    return SUCCESS;
}

EXPORT int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    read_state();
    count_call(__func__, NULL);
    int code = failure(machine.errors, machine.error_count, __func__);
    if (code) return code;
    if (!getenv("STANDIN_NVML_STATE")) return DRIVER_NOT_LOADED;
    initialized++;
    return SUCCESS;
}

EXPORT int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

EXPORT int nvmlShutdown(void) {
    BEGIN();
    initialized--;
    return SUCCESS;
}

EXPORT const char *nvmlErrorString(int code) {
    switch (code) {
        case SUCCESS: return "The operation was successful";
        case GPU_IS_LOST: return "GPU is lost";
        case NOT_SUPPORTED: return "Not Supported";
        default: return "Unknown Error";
    }
}

EXPORT int nvmlSystemGetDriverVersion(char *version, unsigned size) { BEGIN(); return copy(version, size, machine.driver); }

EXPORT int nvmlSystemGetNVMLVersion(char *version, unsigned size) {
    char text[96];
    BEGIN();
    snprintf(text, sizeof text, "12.%s", machine.driver);
    return copy(version, size, text);
}

EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *version) { BEGIN(); *version = machine.cuda; return SUCCESS; }

EXPORT int nvmlDeviceGetCount_v2(unsigned *count) { BEGIN(); *count = (unsigned)machine.gpus; return SUCCESS; }

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    BEGIN();
    if ((int)index >= machine.gpus) return INVALID_ARGUMENT;
    device_t *device = &devices[index][0];
    *handle = &slots[index][0];
    return failure(device->errors, device->error_count, __func__);
}

EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
    BEGIN();
    for (int i = 0; i < machine.gpus; i++)
        for (int j = 0; j <= devices[i][0].instances; j++)
            if (!strcmp(devices[i][j].uuid, uuid)) {
                *handle = &slots[i][j];
                return failure(devices[i][j].errors, devices[i][j].error_count, __func__);
            }
    return NOT_FOUND;
}

EXPORT int nvmlDeviceGetIndex(void *handle, unsigned *index) {
    BEGIN_ON(handle);
    if (d->is_instance) return NOT_SUPPORTED;
    *index = (unsigned)(((char *)handle - &slots[0][0]) / (MAX_INSTANCES + 1));
    return SUCCESS;
}

EXPORT int nvmlDeviceGetUUID(void *handle, char *uuid, unsigned size) { BEGIN_ON(handle); return copy(uuid, size, d->uuid); }

EXPORT int nvmlDeviceGetName(void *handle, char *name, unsigned size) { BEGIN_ON(handle); return copy(name, size, d->name); }

EXPORT int nvmlDeviceGetPciInfo_v3(void *handle, pci_t *info) {
    BEGIN_ON(handle);
    if (d->is_instance) return NOT_SUPPORTED;
    memset(info, 0, sizeof *info);
    if (sscanf(d->bus, "%x:%x:%x", &info->domain, &info->bus, &info->device) != 3) return INVALID_ARGUMENT;
    snprintf(info->bus_id, sizeof info->bus_id, "%s", d->bus);
    snprintf(info->bus_legacy, sizeof info->bus_legacy, "%04X:%02X:%02X.0", info->domain & 0xFFFF, info->bus & 0xFF, info->device & 0xFF);
    return SUCCESS;
}

static u64 used(const device_t *d) {
    u64 sum = d->used + d->lingering;
    for (int i = 0; i < d->compute_count; i++) if (d->compute[i].used != (u64)-1) sum += d->compute[i].used;
    for (int i = 0; i < d->graphics_count; i++) if (d->graphics[i].used != (u64)-1) sum += d->graphics[i].used;
    u64 room = d->total - d->reserved;
    return sum < room ? sum : room;
}

/* As the driver does, version 1 counts the reserved memory as used and version 2 gives it apart. */
EXPORT int nvmlDeviceGetMemoryInfo(void *handle, memory_t *memory) {
    BEGIN_ON(handle);
    if (d->memory_unsupported) return NOT_SUPPORTED;
    if (d->memory_zero) { *memory = (memory_t){0, 0, 0}; return SUCCESS; }
    u64 taken = used(d) + d->reserved;
    *memory = (memory_t){d->total, d->total - taken, taken};
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMemoryInfo_v2(void *handle, memory_v2_t *memory) {
    BEGIN_ON(handle);
    /* A real driver (580.159.04) answers an unknown version with this, not with a version mismatch. */
    if (memory->version != MEMORY_V2) return FUNCTION_NOT_FOUND;
    if (d->memory_unsupported) return NOT_SUPPORTED;
    if (d->memory_zero) { *memory = (memory_v2_t){memory->version, 0, 0, 0, 0}; return SUCCESS; }
    u64 taken = used(d);
    *memory = (memory_v2_t){memory->version, d->total, d->reserved, d->total - d->reserved - taken, taken};
    return SUCCESS;
}

EXPORT int nvmlDeviceGetUtilizationRates(void *handle, utilization_t *rates) {
    BEGIN_ON(handle);
    if (d->utilization == UNSUPPORTED || d->is_instance || d->mig == 1) return NOT_SUPPORTED;
    *rates = (utilization_t){(unsigned)d->utilization, 0};
    return SUCCESS;
}

EXPORT int nvmlDeviceGetComputeMode(void *handle, unsigned *mode) {
    BEGIN_ON(handle);
    if (d->compute_mode == UNSUPPORTED || d->is_instance) return NOT_SUPPORTED;
    *mode = (unsigned)d->compute_mode;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetPowerUsage(void *handle, unsigned *milliwatts) {
    BEGIN_ON(handle);
    if (d->power == UNSUPPORTED || d->is_instance) return NOT_SUPPORTED;
    *milliwatts = (unsigned)d->power;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetClockInfo(void *handle, int kind, unsigned *mhz) {
    BEGIN_ON(handle);
    (void)kind;
    if (!d->clock || d->clock == UNSUPPORTED || d->is_instance) return NOT_SUPPORTED;
    *mhz = (unsigned)d->clock;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetCurrentClocksEventReasons(void *handle, u64 *reasons) {
    BEGIN_ON(handle);
    if (d->reasons == UNSUPPORTED || d->is_instance) return NOT_SUPPORTED;
    *reasons = (u64)d->reasons;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(void *handle, u64 *reasons) {
    BEGIN_ON(handle);
    if (d->reasons == UNSUPPORTED || d->is_instance) return NOT_SUPPORTED;
    *reasons = (u64)d->reasons;
    return SUCCESS;
}

static int list_processes(const process_t *list, int count, unsigned *room, process_t *target) {
    unsigned offered = *room;
    *room = (unsigned)count;
    if (offered < (unsigned)count) return INSUFFICIENT_SIZE;
    if (count) memcpy(target, list, (size_t)count * sizeof *list);
    return SUCCESS;
}

EXPORT int nvmlDeviceGetComputeRunningProcesses_v2(void *handle, unsigned *count, process_t *list) {
    BEGIN_ON(handle);
    return list_processes(d->compute, d->compute_count, count, list);
}

EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, process_t *list) {
    BEGIN_ON(handle);
    return list_processes(d->compute, d->compute_count, count, list);
}

EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v2(void *handle, unsigned *count, process_t *list) {
    BEGIN_ON(handle);
    return list_processes(d->graphics, d->graphics_count, count, list);
}

EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, process_t *list) {
    BEGIN_ON(handle);
    return list_processes(d->graphics, d->graphics_count, count, list);
}

EXPORT int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    BEGIN_ON(handle);
    if (d->is_instance || d->mig == UNSUPPORTED) return NOT_SUPPORTED;
    *current = *pending = (unsigned)d->mig;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *count) {
    BEGIN_ON(handle);
    *count = d->mig == UNSUPPORTED ? 0 : MAX_INSTANCES - 1;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **instance) {
    BEGIN_ON(handle);
    if (d->mig != 1 || (int)index >= d->instances) return NOT_FOUND;
    *instance = (char *)handle + 1 + index;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor) {
    BEGIN_ON(handle);
    *major = 9;
    *minor = 0;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetPersistenceMode(void *handle, unsigned *mode) { BEGIN_ON(handle); *mode = 1; return SUCCESS; }
