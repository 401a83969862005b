/* Wine 8 lacks bcryptprimitives.dll, of which Rust's standard library takes its randomness. Windows 10 and 11 have it:
   this stands in for it under Wine, in tests, and is never shipped. */
#include <windows.h>

BOOLEAN WINAPI SystemFunction036(PVOID, ULONG); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
    return SystemFunction036(data, (ULONG)length);
}
