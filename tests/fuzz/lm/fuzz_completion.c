/* A server's response. The first byte chooses the status. Whatever came, the reply says either that
 * it failed and why, or has content; and the key is nowhere in it. */
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_completion.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "sk-0123456789";

static int has_key(const char *text)
{
    return text && strstr(text, key) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 200, 200, 200, 201, 204, 302, 400,
                                    401, 404, 408, 429, 500, 503, 529, 0};
    struct lm_request *request;
    struct lm_reply *r;
    unsigned mentions;

    if (size == 0)
        return 0;
    request = lm_request_new(1, "fuzz", NULL);
    r = lm_reply_new(request);
    lm_request_free(request);
    if (lm_completion_read(statuses[data[0] & 15], (const char *)data + 1, size - 1, key, r,
                           &mentions) < 0)
        abort();
    if (r->failure ? r->err.text[0] == '\0' : !r->content)
        abort();
    if (has_key(r->content) || has_key(r->reasoning) || has_key(r->finish) || has_key(r->err.text))
        abort();
    lm_reply_free(r);
    return 0;
}
