/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".jsonl"
#define DAYS_KEPT 30
#define READ_MAX (4 * 1024 * 1024) /* bytes of text that one answer may hold */

struct _BulkheadJournal {
    char *path;
    char *day;       /* file name last written to */
    gboolean failed; /* said so already */
};

/* The identifiers are for ever: people filter the system journal by them. */
static const struct {
    const char *word;
    const char *text;
    const char *message_id;
    const char *priority; /* as syslog(3) */
} events[] = {
    [BULKHEAD_EVENT_STARTED] = { "started", "The helper started",
                                 "a925858f31d24545ab07bd0dc8487b93", "6" },
    [BULKHEAD_EVENT_STOPPED] = { "stopped", "The helper stopped; the rules stay in the kernel",
                                 "6cb42daeee334e8aadd1393832511647", "6" },
    [BULKHEAD_EVENT_LOCKED] = { "locked", "Locked: only trusted tunnels may be used",
                                "d716fce1b51d4f008c1aa1074f1353de", "5" },
    [BULKHEAD_EVENT_UNLOCKED] = { "unlocked", "Unlocked: all traffic is allowed",
                                  "27336cfc53304dbe855f34ddd3dd27d2", "5" },
    [BULKHEAD_EVENT_PAUSED] = { "paused", "Paused: all traffic is allowed for a time",
                                "3c84f4edec5445cd99502a7845d08838", "5" },
    [BULKHEAD_EVENT_RESUMED] = { "resumed", "The pause ended; the lock is in force again",
                                 "da066d6829da4fd1b8f00ad47d1b637d", "5" },
    [BULKHEAD_EVENT_PROTECTED] = { "protected", "A trusted tunnel is up behind the lock",
                                   "2dc4d4afbc1c4355ba95019f13cdf451", "5" },
    [BULKHEAD_EVENT_BLOCKING] = { "blocking",
                                  "No trusted tunnel is up; what was not allowed is blocked",
                                  "959162120a6c46b09a6b3267191b0f97", "5" },
    [BULKHEAD_EVENT_REMOVED] = { "removed",
                                 "Another program removed or changed the rules: possible leak",
                                 "971206de792c4ef789810da129329cd3", "2" },
    [BULKHEAD_EVENT_RESTORED] = { "restored", "The rules were restored",
                                  "932d7fc8be384b77a8b66c8ff8377f6c", "4" },
    [BULKHEAD_EVENT_BROKEN] = { "broken", "The lock is asked for but not enforced: possible leak",
                                "06adf336d9094279b831fd008c2bc92f", "2" },
    [BULKHEAD_EVENT_CHANGED] = { "changed", "A setting was changed",
                                 "7d2162873c46455e9bfed36a77972114", "5" },
    [BULKHEAD_EVENT_REFUSED] = { "refused", "A caller was refused: not authorised",
                                 "26455f3f831b46baba67d3e37ad6b465", "4" },
    [BULKHEAD_EVENT_UNREADABLE] = { "unreadable", "The stored state cannot be understood: locked",
                                    "fd648fd234404bafa8e49d89120e79e2", "2" },
    [BULKHEAD_EVENT_WEAKENED] = { "weakened", "This kernel lacks a feature that the lock uses",
                                  "47a4f562a9af4803b50deeb95e27241e", "4" },
    [BULKHEAD_EVENT_AUTHORIZED] = { "authorized",
                                    "A user is allowed to open the lock without a password",
                                    "12c2fc2d26b34d0885c0a3a4be00f68d", "5" },
    [BULKHEAD_EVENT_REVOKED] = { "revoked", "A user needs a password again to open the lock",
                                 "a09143f2dc92443c9ae065a02a529b39", "5" },
    [BULKHEAD_EVENT_FORGOTTEN] = { "forgotten",
                                   "The authorised users cannot be understood: nobody is "
                                   "authorised",
                                   "fc5c7946c3704b1695395e81a786f08d", "4" },
    [BULKHEAD_EVENT_MANAGED] = { "managed", "The settings that the administrator fixed are others",
                                 "4f759ffb842b407b878d127be57d60ad", "5" },
    [BULKHEAD_EVENT_MISMANAGED] = { "mismanaged",
                                    "A policy file of the administrator's cannot be used: nothing "
                                    "is allowed because of it",
                                    "8a846118124f40b1ac37c502c5b2d53f", "2" },
    [BULKHEAD_EVENT_ASLEEP] = { "asleep", "The machine goes to sleep",
                                "d36fba66667f4e0bbb51de1b0e39e5d1", "6" },
    [BULKHEAD_EVENT_AWAKE] = { "awake", "The machine is awake", "8b759d561ed24b7a8980ab1fa736e772",
                               "6" },
    [BULKHEAD_EVENT_CLOSED] = { "closed", "The lock is not to be had: everything is blocked",
                                "f6bdc9a40b894c9190d1169e319a07d9", "2" },
};

G_STATIC_ASSERT (G_N_ELEMENTS (events) == BULKHEAD_EVENT_LAST + 1);

BulkheadJournal *
bulkhead_journal_new (const char *directory)
{
    BulkheadJournal *journal = g_new0 (BulkheadJournal, 1);

    journal->path = g_strdup (directory);
    return journal;
}

void
bulkhead_journal_free (BulkheadJournal *journal)
{
    g_free (journal->path);
    g_free (journal->day);
    g_free (journal);
}

/* Opened anew each time: an administrator may have emptied or replaced the directory. */
static int
open_directory (const BulkheadJournal *journal)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = open (journal->path, flags);

    if (fd >= 0 || errno != ENOENT || g_mkdir_with_parents (journal->path, 0750) < 0)
        return fd;
    fd = open (journal->path, flags);
    if (fd >= 0) /* past the helper's umask */
        fchmod (fd, 0750);
    return fd;
}

static gboolean
is_day_file (const char *name)
{
    static const char form[] = "0000-00-00" SUFFIX;

    if (strlen (name) != sizeof form - 1)
        return FALSE;
    for (gsize i = 0; form[i] != '\0'; i++)
        if (form[i] == '0' ? !g_ascii_isdigit (name[i]) : name[i] != form[i])
            return FALSE;
    return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
    return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* Oldest first. */
static GPtrArray *
list_day_files (const BulkheadJournal *journal)
{
    GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
    g_autoptr (GDir) directory = g_dir_open (journal->path, 0, NULL);
    const char *name;

    while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
        if (is_day_file (name))
            g_ptr_array_add (names, g_strdup (name));
    g_ptr_array_sort (names, compare_names);
    return names;
}

/* Never today's: by a clock that lost its battery it is the oldest. */
static void
prune (const BulkheadJournal *journal, int directory)
{
    g_autoptr (GPtrArray) names = list_day_files (journal);

    for (guint i = 0; i + DAYS_KEPT < names->len; i++)
        if (!g_str_equal (names->pdata[i], journal->day))
            unlinkat (directory, names->pdata[i], 0);
}

/* A regular file that nobody put in our way, or -1 with errno. O_NONBLOCK: it may be a FIFO. */
static int
open_day_file (int directory, const char *name, int flags, struct stat *ret_status)
{
    const int safely = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd = openat (directory, name, flags | safely, 0640);

    if (fd < 0 || (fstat (fd, ret_status) == 0 && S_ISREG (ret_status->st_mode)))
        return fd;
    close (fd);
    errno = EINVAL;
    return -1;
}

static gboolean
ends_in_newline (int fd, const struct stat *status)
{
    char last;

    return status->st_size == 0 || (pread (fd, &last, 1, status->st_size - 1) == 1 && last == '\n');
}

static void
note_day (BulkheadJournal *journal, int directory, const char *name)
{
    if (g_strcmp0 (journal->day, name) == 0)
        return;
    g_free (journal->day);
    journal->day = g_strdup (name);
    prune (journal, directory);
}

/* One write() for the whole line, which ends in a newline. Returns: 0 or errno. */
static int
append (int directory, const char *name, const char *line)
{
    g_autofree char *after_torn = g_strconcat ("\n", line, NULL);
    struct stat status;
    gssize written;
    int reason;
    int fd = open_day_file (directory, name, O_RDWR | O_APPEND | O_CREAT, &status);

    if (fd < 0)
        return errno;
    if (status.st_size == 0) /* past the helper's umask */
        fchmod (fd, 0640);
    if (!ends_in_newline (fd, &status))
        line = after_torn;
    written = TEMP_FAILURE_RETRY (write (fd, line, strlen (line)));
    reason = written < 0 ? errno : (gsize)written < strlen (line) ? ENOSPC : 0;
    close (fd);
    return reason;
}

static char *
make_line (BulkheadEvent event, GDateTime *now, const char *const *detail)
{
    g_autofree char *seconds = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S");
    g_autofree char *time =
        g_strdup_printf ("%s.%03dZ", seconds, g_date_time_get_microsecond (now) / 1000);
    g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
    g_autofree char *text = NULL;
    JsonObject *object = json_object_new ();

    json_node_take_object (node, object);
    json_object_set_string_member (object, "time", time);
    json_object_set_string_member (object, "event", events[event].word);
    json_object_set_string_member (object, "text", events[event].text);
    for (; detail != NULL && detail[0] != NULL; detail += 2) {
        g_autofree char *value = g_utf8_make_valid (detail[1], -1);

        json_object_set_string_member (object, detail[0], value);
    }
    text = json_to_string (node, FALSE);
    return g_strconcat (text, "\n", NULL);
}

static void
add_field (GArray *fields, const char *key, const char *value)
{
    GLogField field = { key, value, -1 };

    g_array_append_val (fields, field);
}

/* The level is one that is always shown; how grave it is says PRIORITY. */
static void
tell_system_journal (BulkheadEvent event, const char *const *detail)
{
    g_autoptr (GArray) fields = g_array_new (FALSE, FALSE, sizeof (GLogField));
    g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
    g_autoptr (GString) message = g_string_new (events[event].text);

    add_field (fields, "GLIB_DOMAIN", G_LOG_DOMAIN);
    add_field (fields, "PRIORITY", events[event].priority);
    add_field (fields, "MESSAGE_ID", events[event].message_id);
    add_field (fields, "BULKHEAD_EVENT", events[event].word);
    for (; detail != NULL && detail[0] != NULL; detail += 2) {
        g_autofree char *name = g_ascii_strup (detail[0], -1);
        char *key = g_strconcat ("BULKHEAD_", g_strdelimit (name, "- ", '_'), NULL);

        g_ptr_array_add (keys, key);
        add_field (fields, key, detail[1]);
        g_string_append_printf (message, "%s%s: %s", keys->len == 1 ? " (" : ", ", detail[0],
                                detail[1]);
    }
    if (keys->len > 0)
        g_string_append_c (message, ')');
    add_field (fields, "MESSAGE", message->str);
    g_log_structured_array (G_LOG_LEVEL_MESSAGE, (GLogField *)fields->data, fields->len);
}

void
bulkhead_journal_write (BulkheadJournal *journal, BulkheadEvent event, const char *const *detail)
{
    g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
    g_autofree char *name = g_date_time_format (now, "%Y-%m-%d" SUFFIX);
    g_autofree char *line = make_line (event, now, detail);
    int directory = open_directory (journal);
    int reason = directory < 0 ? errno : append (directory, name, line);

    if (directory >= 0) {
        note_day (journal, directory, name);
        close (directory);
    }
    if (reason != 0 && !journal->failed)
        g_printerr ("bulkhead: cannot write the log %s/%s: %s\n", journal->path, name,
                    g_strerror (reason));
    journal->failed = reason != 0;
    tell_system_journal (event, detail);
}

static gboolean
is_event (const char *line, gsize length)
{
    return length >= 2 && line[0] == '{' && line[length - 1] == '}'
           && g_utf8_validate (line, length, NULL);
}

/* Adds the lines of @text, newest first, until there are @limit (0: no end). */
static void
add_lines (GPtrArray *lines, const char *text, gsize length, guint limit)
{
    const char *end = memrchr (text, '\n', length); /* what follows is torn */

    while (end != NULL && end > text && (limit == 0 || lines->len < limit)) {
        const char *before = memrchr (text, '\n', end - text);
        const char *start = before != NULL ? before + 1 : text;

        if (is_event (start, end - start))
            g_ptr_array_add (lines, g_strndup (start, end - start));
        end = before;
    }
}

/* Returns: how many bytes were read: the last of the file, at most @budget. */
static gsize
read_day_file (int directory, const char *name, gsize budget, guint limit, GPtrArray *lines)
{
    g_autofree char *text = NULL;
    struct stat status;
    gssize length;
    int fd = open_day_file (directory, name, O_RDONLY, &status);

    if (fd < 0)
        return 0;
    budget = MIN (budget, (gsize)status.st_size);
    text = g_malloc (budget + 1);
    length = TEMP_FAILURE_RETRY (pread (fd, text, budget, status.st_size - budget));
    close (fd);
    if (length > 0)
        add_lines (lines, text, length, limit);
    return MAX (length, 0);
}

GStrv
bulkhead_journal_read (BulkheadJournal *journal, guint limit)
{
    g_autoptr (GPtrArray) names = list_day_files (journal);
    g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
    gsize budget = READ_MAX;
    int directory = open_directory (journal);

    for (guint i = names->len; directory >= 0 && i > 0 && budget > 0; i--) {
        if (limit != 0 && lines->len >= limit)
            break;
        budget -= read_day_file (directory, names->pdata[i - 1], budget, limit, lines);
    }
    if (directory >= 0)
        close (directory);
    for (guint i = 0; i < lines->len / 2; i++) {
        gpointer newer = lines->pdata[i];

        lines->pdata[i] = lines->pdata[lines->len - 1 - i];
        lines->pdata[lines->len - 1 - i] = newer;
    }
    g_ptr_array_add (lines, NULL);
    return (GStrv)g_ptr_array_steal (lines, NULL);
}
