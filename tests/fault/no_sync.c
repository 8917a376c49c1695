/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/no_sync.c - a process that is killed loses nothing that was written: without waiting
 * for the disk thousands of attempts take seconds. */
__attribute__((visibility("default"))) int fsync(int fd);
__attribute__((visibility("default"))) int fdatasync(int fd);

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}
