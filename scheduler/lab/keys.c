#include "scheduler/lab/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_SECONDS 86400L
#define VALID_DAYS 3650L

struct pair {
    EVP_PKEY *key;
    X509 *certificate;
};

static bool extend(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
    bool good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

/* Key and certificate, not signed yet. Valid from yesterday on, in case a clock is set back. */
static bool make_pair(const char *name, long serial, struct pair *out)
{
    out->key = EVP_EC_gen("P-256");
    out->certificate = X509_new();
    X509 *it = out->certificate;
    return out->key != NULL && it != NULL && X509_set_version(it, 2) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(it), serial) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(it), -DAY_SECONDS) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(it), VALID_DAYS * DAY_SECONDS) != NULL &&
           X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_ASC,
                                      (const unsigned char *)name, -1, -1, 0) == 1 &&
           X509_set_pubkey(it, out->key) == 1;
}

static bool sign(const struct pair *subject, const struct pair *authority)
{
    return X509_set_issuer_name(subject->certificate,
                                X509_get_subject_name(authority->certificate)) == 1 &&
           X509_sign(subject->certificate, authority->key, EVP_sha256()) > 0;
}

static bool make_authority(struct pair *authority)
{
    return make_pair("berth lab", 1, authority) &&
           extend(authority->certificate, NID_basic_constraints, "critical,CA:TRUE") &&
           extend(authority->certificate, NID_key_usage, "critical,keyCertSign") &&
           sign(authority, authority);
}

/* One for all engines and for who speaks to them: it names every address. */
static bool make_member(const struct lab_plan *plan, const struct pair *authority,
                        struct pair *member)
{
    struct text names = TEXT_INIT;
    for (int i = 1; i <= plan->engine_count; i++)
        text_addf(&names, "%sIP:%s", i == 1 ? "" : ",", lab_address(plan->slot, i).text);
    bool good = make_pair("berth lab's engines and callers", 2, member) &&
                extend(member->certificate, NID_key_usage, "critical,digitalSignature") &&
                extend(member->certificate, NID_ext_key_usage, "serverAuth,clientAuth") &&
                extend(member->certificate, NID_subject_alt_name, names.bytes) &&
                sign(member, authority);
    text_free(&names);
    return good;
}

/* A certificate, or else a key. */
static bool save(const char *folder, const char *name, X509 *certificate, EVP_PKEY *key)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    FILE *out = file < 0 ? NULL : fdopen(file, "w");
    if (out == NULL) {
        if (file >= 0)
            (void)close(file);
        return false;
    }
    bool good = certificate != NULL
                    ? PEM_write_X509(out, certificate) == 1
                    : PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1;
    return fclose(out) == 0 && good;
}

enum berth_err lab_keys_make(const struct lab_plan *plan, struct berth_error *err)
{
    struct lab_name folder = lab_path(plan->name, 0, LAB_KEYS);
    struct pair authority = {NULL, NULL}, member = {NULL, NULL};
    bool good = (mkdir(folder.text, 0700) == 0 || errno == EEXIST) && make_authority(&authority) &&
                make_member(plan, &authority, &member) &&
                save(folder.text, "ca.pem", authority.certificate, NULL) &&
                save(folder.text, "cert.pem", member.certificate, NULL) &&
                save(folder.text, "key.pem", NULL, member.key);
    X509_free(authority.certificate);
    X509_free(member.certificate);
    EVP_PKEY_free(authority.key);
    EVP_PKEY_free(member.key);
    return good ? BERTH_OK
                : berth_fail(err, BERTH_ERR_ENVIRONMENT, "%s: no keys could be made", folder.text);
}
