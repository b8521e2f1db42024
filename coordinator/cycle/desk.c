/* desk.c - see desk.h. */
#include "coordinator/cycle/desk.h"

#include "common/core/err.h"
#include "common/core/mem.h"
#include "common/model/signature_message.h"
#include "common/model/tool_message.h"
#include "coordinator/signature/inquiry.h"

static int fill(const struct desk *desk, const struct request *asked, struct response *out,
                struct err *err)
{
    if (asked->signature_list)
        return inquiry_list(desk->catalog, asked->signature_list, &out->signatures, err);
    if (asked->signature_show)
        return inquiry_show(desk->catalog, asked->signature_show, &out->signature, err);
    if (asked->signature_create)
        return inquiry_create(desk->catalog, asked->signature_create, &out->signature, err);
    if (asked->signature_check)
        return inquiry_check(desk->catalog, asked->signature_check, &out->signature_check, err);
    return inquiry_render(desk->catalog, desk->framing, asked->signature_render, &out->prompt, err);
}

struct response *desk_answer(const struct desk *desk, const struct request *asked, struct err *err)
{
    struct response *response = response_new(err);

    if (!response)
        return NULL;
    response->code = RESPONSE_CODE_OK;
    if (fill(desk, asked, response, err) == 0)
        return response;
    response_free(response);
    return NULL;
}
