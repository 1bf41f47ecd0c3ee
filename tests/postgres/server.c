/* tests/postgres/server.c - see server.h. */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include <libpq-fe.h>

#include "server.h"

static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Where the newest server that is installed has its programs. */
static int find_programs(char *out, size_t cap) {
    static const char *const patterns[] = {
        "/usr/lib/postgresql/*/bin/postgres", "/usr/pgsql-*/bin/postgres",
        "/usr/libexec/postgresql*/postgres",  "/usr/local/bin/postgres",
        "/opt/homebrew/bin/postgres",         "/usr/bin/postgres"};
    glob_t found;
    int n = -1;
    for (size_t i = 0; n < 0 && i < sizeof patterns / sizeof *patterns; i++) {
        if (glob(patterns[i], 0, NULL, &found) != 0)
            continue;
        n = snprintf(out, cap, "%s", found.gl_pathv[found.gl_pathc - 1]);
        globfree(&found);
    }
    if (n < 0 || (size_t)n >= cap)
        return -1;
    *strrchr(out, '/') = 0;
    return 0;
}

/* PostgreSQL refuses to run as root. */
static int find_user(struct server *server) {
    struct passwd *user;
    server->uid = geteuid();
    server->gid = getegid();
    if (server->uid != 0)
        return 0;
    user = getpwnam("postgres");
    if (user == NULL)
        user = getpwnam("nobody");
    if (user == NULL)
        return -1;
    server->uid = user->pw_uid;
    server->gid = user->pw_gid;
    return 0;
}

static int make_folder(struct server *server) {
    const char *base = getenv("TMPDIR");
    snprintf(server->folder, sizeof server->folder, "%.30s/mereau-pg-XXXXXX",
             base != NULL && *base != 0 ? base : "/tmp");
    if (mkdtemp(server->folder) == NULL)
        return -1;
    return geteuid() == 0 ? chown(server->folder, server->uid, server->gid) : 0;
}

/* In the child: the server's user, its folder, its log; ends with the test. */
static void become(const struct server *server) {
    char path[96];
    int log, nothing = open("/dev/null", O_RDONLY);
    sigset_t none;
    snprintf(path, sizeof path, "%s/log", server->folder);
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(server->gid) != 0 ||
         setuid(server->uid) != 0))
        _exit(126);
#if defined(__linux__)
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
#endif
    log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0 || nothing < 0 || chdir(server->folder) != 0)
        _exit(126);
    (void)dup2(nothing, 0);
    (void)dup2(log, 1);
    (void)dup2(log, 2);
    for (int fd = 3; fd < 256; fd++)
        (void)close(fd);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setenv("LC_ALL", "C", 1);
}

static void show_log(const struct server *server) {
    char path[96], line[300];
    FILE *log;
    snprintf(path, sizeof path, "%s/log", server->folder);
    log = fopen(path, "r");
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        fputs(line, stderr);
    if (log != NULL)
        fclose(log);
}

int server_run(const struct server *server, const char *const *argv) {
    char program[160];
    int status = -1;
    pid_t pid;
    snprintf(program, sizeof program, "%s/%s", server->programs, argv[0]);
    pid = fork();
    if (pid == 0) {
        become(server);
        execv(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        show_log(server);
        return -1;
    }
    return 0;
}

static int init(const struct server *server, int small) {
    const char *const argv[] = {
        "initdb", "-D",         "data",  "-U",
        "mereau", "-A",         "trust", "-E",
        "UTF8",   "--locale=C", "-N",    small ? "--wal-segsize=1" : NULL,
        NULL};
    return server_run(server, argv);
}

static int is_down(struct server *server) {
    int status;
    if (server->pid > 0 && waitpid(server->pid, &status, WNOHANG) != 0)
        server->pid = 0;
    return server->pid <= 0;
}

static int wait_until_it_answers(struct server *server) {
    for (int i = 0; i < 600 && !is_down(server); i++) {
        if (PQping(server->conninfo) == PQPING_OK)
            return 0;
        pause_ms(50);
    }
    return -1;
}

int server_wait(struct server *server) {
    if (wait_until_it_answers(server) == 0)
        return 0;
    show_log(server);
    return -1;
}

static void launch(struct server *server, const char *setting) {
    char program[160], data[96], sockets[96];
    snprintf(program, sizeof program, "%s/postgres", server->programs);
    snprintf(data, sizeof data, "%s/data", server->folder);
    snprintf(sockets, sizeof sockets, "unix_socket_directories=%s",
             server->folder);
    server->pid = fork();
    if (server->pid == 0) {
        become(server);
        execl(program, "postgres", "-D", data, "-c", sockets, "-c",
              "listen_addresses=", "-c", "max_connections=120", "-c",
              "shared_buffers=64MB", "-c",
              setting != NULL ? setting : "max_connections=120", (char *)NULL);
        _exit(127);
    }
    server->owner = getpid();
}

/* It refuses to start as long as one process of an earlier one has its memory. */
int server_start(struct server *server, const char *setting) {
    for (int i = 0; server->orphans && i < 200; i++) {
        launch(server, setting);
        if (wait_until_it_answers(server) == 0) {
            server->orphans = 0;
            return 0;
        }
        pause_ms(20);
    }
    launch(server, setting);
    return server_wait(server);
}

int server_revive(struct server *server) {
    return wait_until_it_answers(server) == 0 ? 0 : server_start(server, NULL);
}

void server_stop(struct server *server, int sig) {
    if (server->pid <= 0 || server->owner != getpid())
        return;
    kill(server->pid, sig);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
    server->orphans = sig == SIGKILL;
}

int server_make_empty(struct server *server) {
    memset(server, 0, sizeof *server);
    if (find_programs(server->programs, sizeof server->programs) != 0) {
        fprintf(stderr, "no PostgreSQL server is installed\n");
        return -1;
    }
    if (find_user(server) != 0 || make_folder(server) != 0) {
        fprintf(stderr, "no user or no folder for the server\n");
        return -1;
    }
    snprintf(server->conninfo, sizeof server->conninfo,
             "host=%s user=mereau dbname=postgres", server->folder);
    return 0;
}

static int make(struct server *server, int small) {
    return server_make_empty(server) == 0 && init(server, small) == 0
               ? server_start(server, NULL)
               : -1;
}

int server_make(struct server *server) { return make(server, 0); }

/* Its logs, of changes and of messages, must not fill the disk themselves. */
int server_make_small(struct server *server) {
    static const char *const settings[] = {
        "ALTER SYSTEM SET max_wal_size='8MB'",
        "ALTER SYSTEM SET min_wal_size='2MB'",
        "ALTER SYSTEM SET log_min_messages=fatal",
        "SELECT pg_reload_conf()",
    };
    int failed = make(server, 1);
    for (size_t i = 0; !failed && i < sizeof settings / sizeof *settings; i++)
        failed = server_sql(server->conninfo, settings[i], NULL, 0);
    return failed;
}

static void remove_tree(const char *path) {
    DIR *dir = opendir(path);
    struct dirent *entry;
    char name[512];
    struct stat info;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if ((size_t)snprintf(name, sizeof name, "%s/%s", path, entry->d_name) >=
            sizeof name)
            continue;
        if (lstat(name, &info) == 0 && S_ISDIR(info.st_mode))
            remove_tree(name);
        else
            unlink(name);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(path);
}

void server_remove(struct server *server) {
    server_stop(server, SIGINT);
    if (strstr(server->folder, "mereau-pg-") != NULL)
        remove_tree(server->folder);
}

void server_address(const struct server *server, struct sockaddr_un *at) {
    memset(at, 0, sizeof *at);
    at->sun_family = AF_UNIX;
    snprintf(at->sun_path, sizeof at->sun_path, "%s/.s.PGSQL.5432",
             server->folder);
}

void server_through(unsigned port, char *conninfo, size_t cap) {
    snprintf(conninfo, cap,
             "host=127.0.0.1 port=%u user=mereau dbname=postgres"
             " sslmode=disable gssencmode=disable",
             port);
}

static void say_nothing(void *unused, const char *text) {
    (void)unused;
    (void)text;
}

int server_sql(const char *conninfo, const char *sql, char *out, size_t cap) {
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *result;
    ExecStatusType status;
    int good;

    PQsetNoticeProcessor(conn, say_nothing, NULL);
    result = PQexec(conn, sql);
    status = PQresultStatus(result);
    good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!good)
        fprintf(stderr, "%s: %s", sql, PQerrorMessage(conn));
    if (good && out != NULL)
        snprintf(out, cap, "%s",
                 PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(conn);
    return good ? 0 : -1;
}
