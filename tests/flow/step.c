/* tests/flow/step.c - see step.h. */
#include "step.h"

static int32_t feed(void *arg, size_t index, const mereau_record *record) {
    return mereau_op_feed(arg, index, record);
}

int32_t step_serve(struct flow *f, mereau_op *op, const mereau_need *need,
                   size_t *failed) {
    *failed = SIZE_MAX;
    if (need->kind == MEREAU_NEED_GET)
        return f->front.get(f->front.user, need, feed, op);
    if (need->kind == MEREAU_NEED_COMMIT)
        return f->front.commit(f->front.user, need, failed);
    if (need->kind == MEREAU_NEED_SCAN)
        return f->front.scan(f->front.user, need, feed, op);
    assert_int_equal(need->kind, MEREAU_NEED_WAIT);
    f->waits++;
    return MEREAU_STORE_OK;
}

void step_answer(struct flow *f, mereau_op *op, const mereau_need *need) {
    size_t failed;
    int32_t result = step_serve(f, op, need, &failed);
    mereau_op_answer(op, result, failed);
}

mereau_status step_through(struct flow *f, mereau_op *op, mereau_error *err) {
    const mereau_need *need;
    mereau_status status;
    while ((status = mereau_op_step(op, &need, err)) == MEREAU_OK &&
           need != NULL)
        step_answer(f, op, need);
    return status;
}

const mereau_need *step_to(struct flow *f, mereau_op *op, uint32_t kind) {
    const mereau_need *need;
    for (;;) {
        assert_int_equal(mereau_op_step(op, &need, &flow_error), MEREAU_OK);
        assert_non_null(need);
        if (need->kind == kind)
            return need;
        step_answer(f, op, need);
    }
}

mereau_op *step_stepped(struct flow *f, mereau_op *op, const char *file,
                        int line) {
    if (step_through(f, op, &flow_error) != MEREAU_OK) {
        print_error("%s:%d: refused: %s\n", file, line, flow_error.text);
        _fail(file, line);
    }
    return op;
}

void step_ends(mereau_op *op, mereau_status status, const char *rule,
               const char *file, int line) {
    const mereau_need *need = NULL;
    mereau_status found = mereau_op_step(op, &need, &flow_error);
    if (found != status || need != NULL || strcmp(flow_error.rule, rule) != 0 ||
        flow_error.text[0] == '\0') {
        print_error("%s:%d: wanted %s (%s), found %s (%s)%s\n", file, line,
                    mereau_status_name(status), rule, mereau_status_name(found),
                    flow_error.rule, need == NULL ? "" : " and a need");
        _fail(file, line);
    }
    assert_null(mereau_op_json(op));
    for (int32_t field = 100; field < 1000; field++) {
        assert_null(mereau_op_text(op, field));
        assert_true(mereau_op_int(op, field) == MEREAU_UNSET);
    }
}
