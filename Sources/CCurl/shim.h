// libcurl for Swift: its functions as they are, typed wrappers for the variadic ones,
// and the two Linux calls that drive its sockets (epoll, eventfd).
#ifndef PONTE_CCURL_SHIM_H
#define PONTE_CCURL_SHIM_H

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// curl_easy_setopt, one wrapper per kind of argument.

static inline CURLcode ponte_easy_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ponte_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

/// Curl copies the text, except for CURLOPT_POSTFIELDS. NULL takes the option's default back.
static inline CURLcode ponte_easy_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

/// Curl keeps the pointer (or copies what it points to: CURLOPT_COPYPOSTFIELDS).
static inline CURLcode ponte_easy_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

/// Curl keeps the list: free it only after another one was set.
static inline CURLcode ponte_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

/// For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
static inline CURLcode ponte_easy_set_sink(CURL *easy, CURLoption option, curl_write_callback value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ponte_easy_set_open_socket(CURL *easy, curl_opensocket_callback value) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}

static inline CURLcode ponte_easy_set_close_socket(CURL *easy, curl_closesocket_callback value) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, value);
}

static inline CURLcode ponte_easy_set_prerequest(CURL *easy, curl_prereq_callback value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}

// curl_easy_getinfo. What curl cannot tell is 0 or NULL.

static inline long ponte_easy_long(CURL *easy, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

static inline curl_off_t ponte_easy_offset(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

/// CURLINFO_PRIVATE.
static inline void *ponte_easy_private(CURL *easy) {
    char *value = NULL;
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : NULL;
}

// curl_multi_setopt.

static inline CURLMcode ponte_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ponte_multi_set_socket_callback(CURLM *multi, curl_socket_callback value, void *user) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, user);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, value);
}

static inline CURLMcode ponte_multi_set_timer_callback(CURLM *multi, curl_multi_timer_callback value, void *user) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, user);
    return code != CURLM_OK ? code : curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, value);
}

#endif
