/* Makes each sync of a process wait, for as many milliseconds as the file says that RECOVERKV_SLOW_DISK names: a disk that
   takes so long to be sure. Loaded before libc (LD_PRELOAD). The wait itself is a plain system call, which libraries that
   fake the time do not see. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void wait_for_disk(void)
{
    const char *name = getenv("RECOVERKV_SLOW_DISK");
    char text[16] = {0};
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    long ms = read(file, text, sizeof text - 1) > 0 ? atol(text) : 0;
    close(file);
    if (ms <= 0) return;
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    syscall(SYS_nanosleep, &time, NULL);
}

int fsync(int fd)
{
    wait_for_disk();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd)
{
    wait_for_disk();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
