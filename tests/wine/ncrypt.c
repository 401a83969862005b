/* Wine 8's ncrypt.dll makes no ECDSA keys. Windows 10 and 11 make them in the TPM: this stands in for their key store under
   Wine, in tests, and is never shipped.

   A key is a file of its name in C:\keystore; its arithmetic is that of Wine's bcrypt. Two further files there make it fail:
   "refuse" (no key is found for now), "wrong" (what is signed is not what was given). */
#include <windows.h>
#include <bcrypt.h>
#include <ncrypt.h>

#define EXPORTED __declspec(dllexport)

#define FOLDER L"C:\\keystore\\"
#define FINDS (NCRYPT_MACHINE_KEY_FLAG | NCRYPT_SILENT_FLAG)

#define HASH_BYTES 32
#define PRIVATE_BYTES (sizeof(BCRYPT_ECCKEY_BLOB) + 3 * 32)

struct key
{
    BCRYPT_KEY_HANDLE pair; /* none until it is finished */
    WCHAR path[MAX_PATH];
};

/* What the handle of the provider points to. */
static int provider;

static BOOL is_there(LPCWSTR path)
{
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static BCRYPT_ALG_HANDLE algorithm(void)
{
    static BCRYPT_ALG_HANDLE opened;

    if (!opened && BCryptOpenAlgorithmProvider(&opened, BCRYPT_ECDSA_P256_ALGORITHM, NULL, 0)) opened = NULL;
    return opened;
}

static struct key *new_key(LPCWSTR name)
{
    struct key *key;

    if (lstrlenW(FOLDER) + lstrlenW(name) >= MAX_PATH) return NULL;
    key = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*key));
    if (!key) return NULL;
    lstrcpyW(key->path, FOLDER);
    lstrcatW(key->path, name);
    return key;
}

static void free_key(struct key *key)
{
    if (key->pair) BCryptDestroyKey(key->pair);
    HeapFree(GetProcessHeap(), 0, key);
}

EXPORTED SECURITY_STATUS WINAPI NCryptOpenStorageProvider(NCRYPT_PROV_HANDLE *handle, LPCWSTR name, DWORD flags)
{
    if (lstrcmpW(name, L"Microsoft Platform Crypto Provider") || flags) return NTE_NOT_SUPPORTED;
    *handle = (NCRYPT_PROV_HANDLE)&provider;
    return ERROR_SUCCESS;
}

EXPORTED SECURITY_STATUS WINAPI NCryptCreatePersistedKey(NCRYPT_PROV_HANDLE store, NCRYPT_KEY_HANDLE *handle,
                                                         LPCWSTR kind, LPCWSTR name, DWORD legacy, DWORD flags)
{
    struct key *key;

    if (store != (NCRYPT_PROV_HANDLE)&provider) return NTE_INVALID_HANDLE;
    if (flags != NCRYPT_MACHINE_KEY_FLAG || legacy) return NTE_BAD_FLAGS;
    if (lstrcmpW(kind, BCRYPT_ECDSA_P256_ALGORITHM)) return NTE_NOT_SUPPORTED;
    if (!(key = new_key(name))) return NTE_INVALID_PARAMETER;
    if (is_there(key->path))
    {
        free_key(key);
        return NTE_EXISTS;
    }
    *handle = (NCRYPT_KEY_HANDLE)key;
    return ERROR_SUCCESS;
}

EXPORTED SECURITY_STATUS WINAPI NCryptFinalizeKey(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    struct key *key = (struct key *)handle;
    BYTE blob[PRIVATE_BYTES];
    ULONG length;
    DWORD written;
    HANDLE file;
    BOOL done;

    if (key->pair) return NTE_INVALID_HANDLE;
    if (flags & ~NCRYPT_SILENT_FLAG) return NTE_BAD_FLAGS;
    if (BCryptGenerateKeyPair(algorithm(), &key->pair, 256, 0)) return NTE_FAIL;
    if (BCryptFinalizeKeyPair(key->pair, 0)) return NTE_FAIL;
    if (BCryptExportKey(key->pair, NULL, BCRYPT_ECCPRIVATE_BLOB, blob, sizeof(blob), &length, 0)) return NTE_FAIL;
    if (length != sizeof(blob)) return NTE_FAIL;
    file = CreateFileW(key->path, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE) return NTE_FAIL;
    done = WriteFile(file, blob, sizeof(blob), &written, NULL) && written == sizeof(blob);
    CloseHandle(file);
    return done ? ERROR_SUCCESS : NTE_FAIL;
}

EXPORTED SECURITY_STATUS WINAPI NCryptOpenKey(NCRYPT_PROV_HANDLE store, NCRYPT_KEY_HANDLE *handle, LPCWSTR name,
                                              DWORD legacy, DWORD flags)
{
    struct key *key;
    BYTE blob[PRIVATE_BYTES];
    DWORD read;
    HANDLE file;
    BOOL done;

    if (store != (NCRYPT_PROV_HANDLE)&provider) return NTE_INVALID_HANDLE;
    if (flags != FINDS || legacy) return NTE_BAD_FLAGS;
    if (is_there(FOLDER L"refuse")) return NTE_DEVICE_NOT_READY;
    if (!(key = new_key(name))) return NTE_INVALID_PARAMETER;
    file = CreateFileW(key->path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
    {
        free_key(key);
        return NTE_BAD_KEYSET;
    }
    done = ReadFile(file, blob, sizeof(blob), &read, NULL) && read == sizeof(blob);
    CloseHandle(file);
    ((BCRYPT_ECCKEY_BLOB *)blob)->dwMagic = BCRYPT_ECDSA_PRIVATE_P256_MAGIC;
    if (!done
        || BCryptImportKeyPair(algorithm(), NULL, BCRYPT_ECCPRIVATE_BLOB, &key->pair, blob, sizeof(blob), 0))
    {
        key->pair = NULL;
        free_key(key);
        return NTE_FAIL;
    }
    *handle = (NCRYPT_KEY_HANDLE)key;
    return ERROR_SUCCESS;
}

EXPORTED SECURITY_STATUS WINAPI NCryptExportKey(NCRYPT_KEY_HANDLE handle, NCRYPT_KEY_HANDLE other, LPCWSTR kind,
                                                NCryptBufferDesc *parameters, PBYTE blob, DWORD room, DWORD *length,
                                                DWORD flags)
{
    struct key *key = (struct key *)handle;
    ULONG exported;

    if (other || parameters) return NTE_INVALID_PARAMETER;
    if (flags & ~NCRYPT_SILENT_FLAG) return NTE_BAD_FLAGS;
    if (lstrcmpW(kind, BCRYPT_ECCPUBLIC_BLOB) || !key->pair) return NTE_NOT_SUPPORTED;
    if (BCryptExportKey(key->pair, NULL, BCRYPT_ECCPUBLIC_BLOB, blob, room, &exported, 0)) return NTE_FAIL;
    if (exported > room) return NTE_BUFFER_TOO_SMALL;
    ((BCRYPT_ECCKEY_BLOB *)blob)->dwMagic = BCRYPT_ECDSA_PUBLIC_P256_MAGIC;
    *length = exported;
    return ERROR_SUCCESS;
}

EXPORTED SECURITY_STATUS WINAPI NCryptSignHash(NCRYPT_KEY_HANDLE handle, VOID *padding, PBYTE hash, DWORD bytes,
                                               PBYTE signature, DWORD room, DWORD *length, DWORD flags)
{
    struct key *key = (struct key *)handle;
    BYTE signs[HASH_BYTES];
    ULONG written;
    DWORD i;

    if (padding || bytes != HASH_BYTES) return NTE_INVALID_PARAMETER;
    if (flags & ~NCRYPT_SILENT_FLAG) return NTE_BAD_FLAGS;
    for (i = 0; i < HASH_BYTES; i++) signs[i] = hash[i];
    if (is_there(FOLDER L"wrong")) signs[0] ^= 1;
    if (BCryptSignHash(key->pair, NULL, signs, sizeof(signs), signature, room, &written, 0)) return NTE_FAIL;
    *length = written;
    return ERROR_SUCCESS;
}

/* Frees the handle with the key. */
EXPORTED SECURITY_STATUS WINAPI NCryptDeleteKey(NCRYPT_KEY_HANDLE handle, DWORD flags)
{
    struct key *key = (struct key *)handle;

    if (flags & ~NCRYPT_SILENT_FLAG) return NTE_BAD_FLAGS;
    if (!DeleteFileW(key->path)) return NTE_FAIL;
    free_key(key);
    return ERROR_SUCCESS;
}

EXPORTED SECURITY_STATUS WINAPI NCryptFreeObject(NCRYPT_HANDLE handle)
{
    if (handle != (NCRYPT_HANDLE)&provider) free_key((struct key *)handle);
    return ERROR_SUCCESS;
}
