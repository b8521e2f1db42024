/* cmd_version.c - the versions of this program and of the protocol it speaks. */
#include "coordinator/cli/cli.h"

#ifndef ESPALIER_VERSION
#define ESPALIER_VERSION "0" /* given by the build */
#endif

int cmd_version(struct cli *c, const char *const *words, size_t count)
{
    struct page p;

    (void)words;
    (void)count;
    cli_page(c, &p);
    if (c->json)
        page_line(&p, STYLE_PLAIN, "{\"version\": \"%s\", \"protocol_version\": 1}",
                  ESPALIER_VERSION);
    else
        page_line(&p, STYLE_PLAIN, "espalier %s", ESPALIER_VERSION);
    return cli_show(c, &p);
}
