/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/power_loss.c - what is left of a folder when the power is cut. */
#include "support/power_loss.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/fault_files.h"

enum { SECTOR = 512 };

/* A write, or with `data` NULL a change of the size to `offset`. */
typedef struct change {
    uint8_t *data;
    size_t offset, size;
} change;

typedef struct content {
    uint8_t *data;
    size_t size;
} content;

/* A file or folder, whatever its names are. */
typedef struct node {
    bool folder;
    content synced;
    change *changes; /* since the last fsync(), oldest first */
    size_t count;
} node;

/* A name in the tree; NULL: there is none. */
typedef struct entry {
    char *path;
    node *what;
} entry;

typedef struct tree {
    entry *entries;
    size_t count;
} tree;

/* What happened in a folder at once. */
typedef struct event {
    char *folder;
    entry parts[2];
    size_t count;
} event;

static tree now, synced;
static event *events; /* not synced, oldest first */
static size_t event_count;
static char root[PATH_MAX], liar[PATH_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned random_state;

static void *checked(void *memory)
{
    if (!memory)
        abort(); /* of a test that broke anyway */
    return memory;
}

#define GROW(list, count) checked(realloc(list, ((count) + 1) * sizeof *(list)))

/* ---- names ---- */

static node *tree_get(const tree *in, const char *path)
{
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->entries[i].path, path) == 0)
            return in->entries[i].what;
    return NULL;
}

static void tree_set(tree *in, const char *path, node *what)
{
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->entries[i].path, path) == 0) {
            in->entries[i].what = what;
            return;
        }
    in->entries = GROW(in->entries, in->count);
    in->entries[in->count++] = (entry){checked(strdup(path)), what};
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return checked(strndup(path, (size_t)(slash - path)));
}

static void happen(const char *path, node *what, const char *second, node *what_second)
{
    events = GROW(events, event_count);
    event *it = &events[event_count++];
    *it = (event){folder_of(path), {{checked(strdup(path)), what}}, 1};
    tree_set(&now, path, what);
    if (!second)
        return;
    it->parts[it->count++] = (entry){checked(strdup(second)), what_second};
    tree_set(&now, second, what_second);
}

/* ---- content ---- */

static void resize(content *of, size_t size)
{
    of->data = checked(realloc(of->data, size + 1));
    if (size > of->size)
        memset(of->data + of->size, 0, size - of->size);
    of->size = size;
}

static void put(content *to, size_t offset, const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    if (offset + size > to->size)
        resize(to, offset + size);
    memcpy(to->data + offset, data, size);
}

static void apply(content *to, const change *what)
{
    if (what->data)
        put(to, what->offset, what->data, what->size);
    else
        resize(to, what->offset);
}

static void add_change(const char *path, size_t offset, const void *data, size_t size)
{
    node *file = tree_get(&now, path);
    if (!file)
        return; /* a temporary file without a name */
    file->changes = GROW(file->changes, file->count);
    change *it = &file->changes[file->count++];
    *it = (change){NULL, offset, size};
    if (data)
        it->data = memcpy(checked(malloc(size)), data, size);
}

static void sync_content(node *file)
{
    for (size_t i = 0; i < file->count; i++) {
        apply(&file->synced, &file->changes[i]);
        free(file->changes[i].data);
    }
    file->count = 0;
}

/* ---- what fault_files.h tells ---- */

static void keep_event(const event *it)
{
    for (size_t i = 0; i < it->count; i++)
        tree_set(&synced, it->parts[i].path, it->parts[i].what);
}

static void sync_folder(const char *path)
{
    size_t left = 0;
    for (size_t i = 0; i < event_count; i++)
        if (strcmp(events[i].folder, path) == 0)
            keep_event(&events[i]);
        else
            events[left++] = events[i];
    event_count = left;
}

static void on_synced(const char *path)
{
    size_t size = strlen(liar);
    if (size > 0 && strncmp(path, liar, size) == 0)
        return;
    pthread_mutex_lock(&lock);
    node *what = strcmp(path, root) == 0 ? NULL : tree_get(&now, path);
    if (what && !what->folder)
        sync_content(what);
    else
        sync_folder(path);
    pthread_mutex_unlock(&lock);
}

static node *new_node(bool folder)
{
    node *made = checked(calloc(1, sizeof *made));
    made->folder = folder;
    return made;
}

static void on_made(const char *path, bool folder)
{
    pthread_mutex_lock(&lock);
    happen(path, new_node(folder), NULL, NULL);
    pthread_mutex_unlock(&lock);
}

static void on_written(const char *path, off_t offset, const void *data, size_t size)
{
    pthread_mutex_lock(&lock);
    add_change(path, (size_t)offset, data, size);
    pthread_mutex_unlock(&lock);
}

static void on_cut(const char *path, off_t size)
{
    pthread_mutex_lock(&lock);
    add_change(path, (size_t)size, NULL, 0);
    pthread_mutex_unlock(&lock);
}

static void on_renamed(const char *from, const char *to, bool keep)
{
    pthread_mutex_lock(&lock);
    node *what = tree_get(&now, from);
    char *source = folder_of(from), *target = folder_of(to);
    if (keep) {
        happen(to, what, NULL, NULL);
    } else if (strcmp(source, target) == 0) {
        happen(to, what, from, NULL);
    } else { /* each folder has a part of it */
        happen(to, what, NULL, NULL);
        happen(from, NULL, NULL, NULL);
    }
    free(source);
    free(target);
    pthread_mutex_unlock(&lock);
}

static void on_removed(const char *path)
{
    pthread_mutex_lock(&lock);
    happen(path, NULL, NULL, NULL);
    pthread_mutex_unlock(&lock);
}

static void (*before_change)(void);

static void on_changing(void)
{
    if (before_change)
        before_change();
}

/* ---- the beginning ---- */

static content read_file(const char *path)
{
    content read_in = {0};
    FILE *file = checked(fopen(path, "rb"));
    uint8_t block[65536];
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        put(&read_in, read_in.size, block, got);
    (void)fclose(file);
    return read_in;
}

/* Everything below `path`; the entries, not their order, matter. */
static void take_in(const char *path)
{
    DIR *folder = checked(opendir(path));
    for (struct dirent *it; (it = readdir(folder));) {
        char whole[PATH_MAX];
        struct stat about;
        if (strcmp(it->d_name, ".") == 0 || strcmp(it->d_name, "..") == 0)
            continue;
        (void)snprintf(whole, sizeof whole, "%s/%s", path, it->d_name);
        if (lstat(whole, &about) != 0)
            abort();
        node *what = new_node(S_ISDIR(about.st_mode));
        tree_set(&now, whole, what);
        tree_set(&synced, whole, what);
        if (what->folder)
            take_in(whole);
        else
            what->synced = read_file(whole);
    }
    (void)closedir(folder);
}

void power_loss_begin(const char *folder, void (*before)(void))
{
    static const file_watch functions = {
        on_changing, on_made, on_written, on_cut, on_synced, on_renamed, on_removed};
    before_change = before;
    liar[0] = '\0';
    (void)snprintf(root, sizeof root, "%s", folder);
    take_in(folder);
    fault_files_watch(&functions);
    fault_files_arm(FILE_SOUND, 0, folder);
}

void power_loss_lies(const char *folder)
{
    (void)snprintf(liar, sizeof liar, "%s", folder);
}

/* ---- the loss ---- */

static unsigned next(unsigned below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static void put_sectors(content *to, const change *what)
{
    if (!what->data) {
        if (next(2))
            apply(to, what);
        return;
    }
    for (size_t at = 0; at < what->size;) {
        size_t size = SECTOR - (what->offset + at) % SECTOR;
        if (size > what->size - at)
            size = what->size - at;
        if (next(2))
            put(to, what->offset + at, what->data + at, size);
        at += size;
    }
    if (what->offset + what->size > to->size && next(2))
        resize(to, what->offset + what->size); /* the size is there, the bytes are not */
}

static void put_beginning(content *to, const node *file)
{
    size_t whole = next((unsigned)file->count + 1);
    for (size_t i = 0; i < whole; i++)
        apply(to, &file->changes[i]);
    if (whole == file->count || !file->changes[whole].data)
        return;
    change torn = file->changes[whole];
    torn.size = next((unsigned)torn.size);
    put(to, torn.offset, torn.data, torn.size);
}

static content rest_of_file(const node *file, power_loss how)
{
    content rest = {0};
    put(&rest, 0, file->synced.data, file->synced.size);
    if (how == LOSS_OF_A_TAIL)
        put_beginning(&rest, file);
    for (size_t i = 0; i < file->count; i++) {
        if (how == LOSS_OF_ENTRIES)
            apply(&rest, &file->changes[i]);
        if (how == LOSS_OF_SECTORS)
            put_sectors(&rest, &file->changes[i]);
    }
    return rest;
}

/* The names that are left, in `synced`. */
static void lose_entries(power_loss how)
{
    size_t kept = how == LOSS_OF_A_TAIL ? next((unsigned)event_count + 1) : event_count;
    for (size_t i = 0; i < kept; i++)
        if (how == LOSS_OF_BYTES || how == LOSS_OF_A_TAIL || (how == LOSS_OF_SECTORS && next(2)))
            keep_event(&events[i]);
}

static bool is_left(const char *path)
{
    char *folder = folder_of(path);
    bool left = tree_get(&synced, path) && (strcmp(folder, root) == 0 || is_left(folder));
    free(folder);
    return left;
}

static void write_file(const char *path, content rest)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    size_t done = 0;
    while (fd >= 0 && done < rest.size) {
        ssize_t got = write(fd, rest.data + done, rest.size - done);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    if (fd < 0 || done < rest.size || close(fd) != 0)
        abort();
}

/* Folders come before what is in them. */
static int by_path(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->path, ((const entry *)b)->path);
}

static void remove_what_is_not_left(void)
{
    qsort(now.entries, now.count, sizeof *now.entries, by_path);
    for (size_t i = now.count; i > 0; i--) {
        const entry *it = &now.entries[i - 1];
        if (it->what && !is_left(it->path))
            (void)remove(it->path);
    }
}

void power_loss_strike(power_loss how, unsigned seed)
{
    pthread_mutex_lock(&lock);
    (void)fault_files_fired(); /* what follows is not the process's */
    random_state = seed;
    lose_entries(how);
    remove_what_is_not_left();
    qsort(synced.entries, synced.count, sizeof *synced.entries, by_path);
    for (size_t i = 0; i < synced.count; i++) {
        const entry *it = &synced.entries[i];
        if (!it->what || !is_left(it->path))
            continue;
        if (it->what->folder)
            (void)mkdir(it->path, 0700);
        else
            write_file(it->path, rest_of_file(it->what, how));
    }
}
