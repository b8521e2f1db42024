/* The bytes that an endpoint sends, headers and body, as they come from its socket: through libcurl
 * and our limits to a reply. Whatever came, the reply says either that it failed and why, or has
 * content; no wish for a pause is negative; and the key is nowhere in it. */
#include "common/core/clock.h"
#include "coordinator/lm/lm_backend.h"
#include "coordinator/lm/lm_transfer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* not on a Mac */
#endif

#define INPUT_MAX 65536 /* what a socket's buffer takes at once */

static const char key[] = "sk-0123456789";

/* Where the endpoint is to be: a port of this machine that listens, and does not wait. */
static int listen_somewhere(char url[64])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof a;

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        abort();
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(a.sin_port));
    return fd;
}

/* The connection, once there is one: these bytes, and then the end. Its end resets the connection,
 * so that no port stays behind. */
static int answer(int listener, const uint8_t *data, size_t size)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    int room = 4 * INPUT_MAX, fd = accept(listener, NULL, NULL);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    for (size_t put = 0; put < size;) {
        ssize_t n = send(fd, data + put, size - put, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n <= 0)
            break; /* libcurl hung up, or wants no more at once: the rest is lost */
        put += (size_t)n;
    }
    shutdown(fd, SHUT_WR);
    return fd;
}

static int has_key(const char *text)
{
    return text && strstr(text, key) != NULL;
}

static void check(const struct lm_reply *r, const struct lm_wishes *wishes)
{
    if (r->failure ? r->err.text[0] == '\0' : !r->content)
        abort();
    if (wishes->pause_ms < -1)
        abort();
    if (has_key(r->content) || has_key(r->reasoning) || has_key(r->finish) || has_key(r->err.text))
        abort();
}

static void run(const struct lm_target *target, int listener, const uint8_t *data, size_t size)
{
    struct lm_request *request = lm_request_new(1, "fuzz", NULL);
    struct lm_reply *reply = lm_reply_new(request);
    int64_t now = clock_mono_ms();
    CURLM *multi = curl_multi_init();
    struct lm_transfer *t =
        lm_transfer_new(target, request, 0, now + 60000, now, multi, &reply->err);
    struct lm_wishes wishes;
    int left, fd = -1;

    if (!t)
        abort();
    while (!lm_transfer_is_over(t, clock_mono_ms())) {
        curl_multi_perform(multi, &left);
        for (CURLMsg *m; (m = curl_multi_info_read(multi, &left));)
            if (m->msg == CURLMSG_DONE)
                lm_transfer_done(m->easy_handle, m->data.result);
        if (fd < 0)
            fd = answer(listener, data, size);
    }
    lm_transfer_read(t, target, reply, &wishes);
    check(reply, &wishes);
    if (fd >= 0)
        close(fd);
    lm_transfer_free(t, multi);
    curl_multi_cleanup(multi);
    lm_reply_free(reply);
    lm_request_free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lm_target target;
    static int listener = -1;

    if (listener < 0) {
        struct lm_settings s;
        char url[64];

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
            abort();
        listener = listen_somewhere(url);
        lm_settings_init(&s);
        s.url = url;
        s.model = "tiny";
        s.key = key;
        s.response_max = 32768; /* so that some inputs pass it */
        if (lm_target_init(&target, &s, NULL) < 0)
            abort();
    }
    if (size <= INPUT_MAX)
        run(&target, listener, data, size);
    return 0;
}
