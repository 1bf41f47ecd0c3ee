/* tests/sim/explore.c - see sim.h: which choices a state has; following every
 * one of them, or some at random. Ops cannot be copied, so a search goes back by
 * beginning anew and making the same choices again. */
#include "sim.h"

#define MAX_CHOICES 128
#define MAX_STEPS 700

enum { ADVANCE, LAND, JUMP };
struct choice {
    uint8_t what, who, how;
};

static void add(struct choice *list, int *n, int what, int who, int how) {
    if (*n < MAX_CHOICES) {
        list[*n].what = (uint8_t)what;
        list[*n].who = (uint8_t)who;
        list[(*n)++].how = (uint8_t)how;
    }
}

/* The faults that a caller may meet now. A commit that fails to land may be told
 * from one that conflicts only by its reply, so they are not the same. */
static void add_faults(const struct sim_world *w,
                       const struct sim_caller *caller, int who,
                       struct choice *list, int *n) {
    uint32_t faults = w->the_case->faults;
    if (w->budget <= 0)
        return;
    if (caller->at == SIM_AT_READ || caller->at == SIM_AT_SIGN)
        faults &= SIM_FAULT(SIM_BUSY) | SIM_FAULT(SIM_CRASH_BEFORE);
    else if (caller->at == SIM_AT_IDLE)
        faults = 0;
    for (int how = SIM_CONFLICT; how < SIM_HOWS; how++)
        if ((faults & SIM_FAULT(how)) != 0)
            add(list, n, ADVANCE, who, how);
}

static int choices(const struct sim_world *w, struct choice *list) {
    int n = 0, busy = 0;
    for (int i = 0; i < w->n_callers; i++) {
        const struct sim_caller *caller = &w->callers[i];
        if (caller->pos >= caller->n)
            continue;
        busy = 1;
        add(list, &n, ADVANCE, i, SIM_OK);
        add_faults(w, caller, i, list, &n);
    }
    if (!busy)
        return 0; /* what is left to land lands in sim_quiet() */
    for (int i = 0; i < w->n_late; i++)
        add(list, &n, LAND, i, 0);
    if (w->next_jump < SIM_JUMPS && w->the_case->jumps[w->next_jump] != 0)
        add(list, &n, JUMP, 0, 0);
    return n;
}

static void make(struct sim_world *w, const struct choice *choice) {
    if (choice->what == ADVANCE)
        sim_advance(w, choice->who, choice->how);
    else if (choice->what == LAND)
        sim_land(w, choice->who);
    else
        sim_jump(w);
    if (w->steps > MAX_STEPS)
        sim_wrong(w, "ends", "no end after %d steps", w->steps);
}

/* --- telling --- */

static void print_path(const int *path, size_t n) {
    for (size_t i = 0; i < n; i++)
        printf("%s%d", i == 0 ? "" : ",", path[i]);
}

int sim_replay(struct sim_search *search, const struct sim_base *base,
               const struct sim_case *one, const int *path, size_t n) {
    struct sim_world *w = search->w;
    struct choice list[MAX_CHOICES];
    w->verbose = 1;
    sim_begin(w, base, one);
    printf("  --- the callers begin\n");
    for (size_t i = 0; i < n && w->wrong[0] == '\0'; i++) {
        int count = choices(w, list);
        if (path[i] >= count)
            break;
        make(w, &list[path[i]]);
    }
    if (w->wrong[0] == '\0' && choices(w, list) == 0)
        sim_quiet(w);
    w->verbose = 0;
    return w->wrong[0] == '\0' ? 0 : -1;
}

static int failed(struct sim_search *search, const struct sim_base *base,
                  const struct sim_case *one, const int *path, size_t n) {
    struct sim_world *w = search->w;
    char wrong[sizeof w->wrong], check[sizeof w->check];
    memcpy(wrong, w->wrong, sizeof wrong);
    memcpy(check, w->check, sizeof check);
    printf("sim: case %s: %s: %s\n", one->name, check, wrong);
    printf("sim: MEREAU_SIM_ONLY=%s MEREAU_SIM_PATH=", one->name);
    print_path(path, n);
    printf("\n");
    if (sim_replay(search, base, one, path, n) == 0)
        printf("sim: the replay did not show it again\n");
    fflush(stdout);
    memcpy(w->wrong, wrong, sizeof wrong);
    memcpy(w->check, check, sizeof check);
    return -1;
}

/* --- every choice --- */

struct walk {
    int path[MAX_STEPS + 2];
    int counts[MAX_STEPS + 2];
    size_t n;
};

/* Goes on from the end of the path with the first choice each time, until the
 * end or a state that was seen before. */
static void go_on(struct sim_search *search, struct walk *walk) {
    struct sim_world *w = search->w;
    struct choice list[MAX_CHOICES];
    while (w->wrong[0] == '\0') {
        int count = choices(w, list);
        uint64_t state = sim_fingerprint(w);
        sim_set_add(search->states, state);
        if (count == 0) {
            sim_quiet(w);
            return;
        }
        if (!sim_set_add(&search->visited, sim_search_key(w, state))) {
            search->pruned++;
            return;
        }
        walk->path[walk->n] = 0;
        walk->counts[walk->n++] = count;
        make(w, &list[0]);
        search->steps++;
    }
}

/* The next path in order; 0 when there is none. */
static int turn(struct walk *walk) {
    while (walk->n > 0 &&
           walk->path[walk->n - 1] + 1 >= walk->counts[walk->n - 1])
        walk->n--;
    if (walk->n == 0)
        return 0;
    walk->path[walk->n - 1]++;
    return 1;
}

int sim_every(struct sim_search *search, const struct sim_base *base,
              const struct sim_case *one, size_t max_runs) {
    struct sim_world *w = search->w;
    struct choice list[MAX_CHOICES];
    struct walk *walk = calloc(1, sizeof *walk);
    int result = 0;
    size_t runs = 0;
    if (walk == NULL)
        abort();
    search->cut = 0;
    do {
        sim_begin(w, base, one);
        for (size_t i = 0; i < walk->n && w->wrong[0] == '\0'; i++) {
            int count = choices(w, list);
            if (count != walk->counts[i] || walk->path[i] >= count) {
                sim_wrong(w, "deterministic", "step %zu has %d choices, had %d",
                          i, count, walk->counts[i]);
                break;
            }
            make(w, &list[walk->path[i]]);
        }
        search->steps += walk->n;
        if (w->wrong[0] == '\0')
            go_on(search, walk);
        runs++;
        if (w->wrong[0] != '\0')
            result = failed(search, base, one, walk->path, walk->n);
        if (runs == max_runs && result == 0 && (search->cut = 1))
            break;
    } while (result == 0 && turn(walk));
    search->runs += runs;
    sim_set_free(&search->visited);
    free(walk);
    return result;
}

/* --- at random --- */

/* Ordinary steps are likelier than faults, or nothing would ever get done. */
static int pick(const struct choice *list, int n, uint64_t *state) {
    uint64_t draw = sim_draw(state);
    int calm[MAX_CHOICES], n_calm = 0;
    for (int i = 0; i < n; i++)
        if (list[i].what == ADVANCE && list[i].how == SIM_OK)
            calm[n_calm++] = i;
    if (n_calm > 0 && draw % 100 < 72)
        return calm[draw / 100 % (uint64_t)n_calm];
    return (int)(draw / 100 % (uint64_t)n);
}

static int walk(struct sim_search *search, const struct sim_base *base,
                const struct sim_case *one, uint64_t *state) {
    struct sim_world *w = search->w;
    struct choice list[MAX_CHOICES];
    int path[MAX_STEPS + 2];
    size_t n = 0;
    sim_begin(w, base, one);
    while (w->wrong[0] == '\0') {
        int count = choices(w, list);
        sim_set_add(search->states, sim_fingerprint(w));
        if (count == 0)
            break;
        path[n] = pick(list, count, state);
        make(w, &list[path[n++]]);
        search->steps++;
    }
    if (w->wrong[0] == '\0')
        sim_quiet(w);
    search->runs++;
    return w->wrong[0] == '\0' ? 0 : failed(search, base, one, path, n);
}

int sim_walks(struct sim_search *search, const struct sim_base *base,
              const struct sim_case *one, size_t n) {
    uint64_t state = n;
    for (size_t i = 0; i < n; i++)
        if (walk(search, base, one, &state) != 0)
            return -1;
    return 0;
}

int sim_random(struct sim_search *search, const struct sim_base *base,
               uint64_t seed) {
    struct sim_case one;
    uint64_t state = seed;
    int result;
    sim_case_random(&one, &state);
    result = walk(search, base, &one, &state);
    if (result != 0)
        printf("sim: MEREAU_SIM_SEED=%llu\n", (unsigned long long)seed);
    return result;
}
