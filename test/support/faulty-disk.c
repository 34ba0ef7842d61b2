/*
 * Loaded before libc (LD_PRELOAD), it stands between a program and the disk for the files whose
 * names begin with FAULTY_DISK_FILES. FAULTY_DISK_RULES names a file that says how the disk is at
 * present, a rule a line, looked up at each call:
 *
 *     sync  NAME slow MILLISECONDS    fsync takes so long
 *     sync  NAME fail                 fsync is answered EIO, and what was written since is lost
 *     write NAME fail                 pwrite is answered EIO
 *     read  NAME fail FROM TO INODE   pread of any of these bytes is answered EIO; another file
 *                                     that takes the name lies elsewhere on the disk
 *
 * Beside each file it keeps NAME.durable: what a power cut would leave. A write reaches it only with
 * an fsync that succeeds. After one that failed the pages count as clean, as Linux has it: a later
 * fsync succeeds and does not bring them there (https://wiki.postgresql.org/wiki/Fsync_Errors).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { page = 4096, most_pages = 1 << 16, most_files = 8 };

typedef ssize_t (*pread_fn)(int, void *, size_t, off_t);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);
typedef int (*sync_fn)(int);
typedef int (*truncate_fn)(int, off_t);
#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

struct file {
  char path[PATH_MAX];
  int durable;
  unsigned char dirty[most_pages];
};
static struct file *files[most_files];

/* The path of a descriptor where it is one of the files, without a call that could be ours. */
static int find_path(int fd, char path[PATH_MAX]) {
  const char *prefix = getenv("FAULTY_DISK_FILES");
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (prefix == NULL || length < 0) return 0;
  path[length] = 0;
  return strncmp(path, prefix, strlen(prefix)) == 0 && strstr(path, ".durable") == NULL;
}

static void copy_range(int from, int to, off_t start, off_t end) {
  char bytes[page];
  for (off_t at = start; at < end; at += page) {
    ssize_t got = REAL(pread_fn, "pread64")(from, bytes, page, at);
    if (got > 0) REAL(pwrite_fn, "pwrite64")(to, bytes, (size_t)got, at);
  }
}

/* What is there before the first write of this process counts as durable. */
static struct file *file_of(int fd) {
  char path[PATH_MAX], beside[PATH_MAX + 16];
  int at = 0;
  if (!find_path(fd, path)) return NULL;
  for (; at < most_files && files[at] != NULL; at++)
    if (strcmp(files[at]->path, path) == 0) return files[at];
  if (at == most_files) abort();
  struct file *file = files[at] = calloc(1, sizeof *file);
  strcpy(file->path, path);
  snprintf(beside, sizeof beside, "%s.durable", path);
  file->durable = open(beside, O_RDWR | O_CREAT | O_TRUNC, 0600);
  copy_range(fd, file->durable, 0, lseek(fd, 0, SEEK_END));
  return file;
}

/* Whether a rule is for this operation on this file now; its numbers go to `numbers`. */
static int rule(const char *op, const struct file *file, const char *effect, long numbers[3]) {
  char line[256], its_op[16], its_name[128], its_effect[16];
  const char *rules = getenv("FAULTY_DISK_RULES"), *name = strrchr(file->path, '/') + 1;
  FILE *in = rules == NULL ? NULL : fopen(rules, "re");
  int found = 0;
  while (in != NULL && !found && fgets(line, sizeof line, in) != NULL) {
    int fields = sscanf(line, "%15s %127s %15s %ld %ld %ld", its_op, its_name, its_effect,
                        &numbers[0], &numbers[1], &numbers[2]);
    found = fields >= 3 && !strcmp(its_op, op) && !strcmp(its_name, name) && !strcmp(its_effect, effect);
  }
  if (in != NULL) fclose(in);
  return found;
}

static int fail(void) {
  errno = EIO;
  return -1;
}

static int synced(int fd, const char *name) {
  struct file *file = file_of(fd);
  long ms[3];
  if (file == NULL) return REAL(sync_fn, name)(fd);
  if (rule("sync", file, "slow", ms))
    nanosleep(&(struct timespec){ms[0] / 1000, ms[0] % 1000 * 1000000}, NULL);
  int fails = rule("sync", file, "fail", ms);
  for (off_t at = 0; at < most_pages; at++) {
    if (file->dirty[at] && !fails) copy_range(fd, file->durable, at * page, (at + 1) * page);
    file->dirty[at] = 0;
  }
  return fails ? fail() : REAL(sync_fn, name)(fd);
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
  struct file *file = file_of(fd);
  long none[3];
  if (file != NULL && rule("write", file, "fail", none)) return fail();
  for (off_t one = at / page; file != NULL && one * page < at + (off_t)count; one++) {
    if (one >= most_pages) abort();
    file->dirty[one] = 1;
  }
  return REAL(pwrite_fn, "pwrite64")(fd, bytes, count, at);
}

ssize_t pread64(int fd, void *bytes, size_t count, off_t at) {
  char path[PATH_MAX];
  struct file *file = find_path(fd, path) ? file_of(fd) : NULL;
  long bad[3];
  struct stat its;
  if (file != NULL && rule("read", file, "fail", bad) && at < bad[1] &&
      at + (off_t)count > bad[0] && fstat(fd, &its) == 0 && (long)its.st_ino == bad[2])
    return fail();
  return REAL(pread_fn, "pread64")(fd, bytes, count, at);
}

int ftruncate64(int fd, off_t length) {
  struct file *file = file_of(fd);
  if (file != NULL) REAL(truncate_fn, "ftruncate64")(file->durable, length);
  return REAL(truncate_fn, "ftruncate64")(fd, length);
}

/* Where off_t has 64 bits anyway a program may use either name. */
ssize_t pread(int, void *, size_t, off_t) __attribute__((alias("pread64")));
ssize_t pwrite(int, const void *, size_t, off_t) __attribute__((alias("pwrite64")));
int ftruncate(int, off_t) __attribute__((alias("ftruncate64")));
