/* tests/unit/key_texts.h - keys in PEM for tests: made for them with OpenSSL, used
 * nowhere else. The rsa_* of 2048 bits and e = 65537 are one key, the ec_* are one
 * key on P-256. */
#ifndef TEST_KEY_TEXTS_H
#define TEST_KEY_TEXTS_H

static const char rsa_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCLhuZLwgseHzkZ\n"
    "7Y69gQA9xc0hNjPV0y90VqifOFGpFeUPD0cSNsH/S/pBUeed8G71Sqgl4r2nXTNK\n"
    "pYUnjzsiXooc7MlUK8Af/8y1jj3BPzv/OVx/E7v2FLJBW51cUm9lXw+FzJbbhoM+\n"
    "iZaCmzzLQU9UiTyo1L5tZXh6eW+AHb8yVa3ZnhBUVSc6/M6aXnqmxpWd62gxikD1\n"
    "ukYqC2npqwdLv2JaTUR4Xz19zL49FHBxBGPkID6OEDNvXs/Cf+uawfQZ7MosSNVx\n"
    "mA17bktApeRY2F2mDB+Hcpc7N+0F8qYqoCxVma1VilTAITylzjunxp5JBrEnz0zF\n"
    "HRbDgXgpAgMBAAECggEABoqAk6LhS0xWrJXf1Be++4ZhQVo1iCPORNeWsF8vKdx8\n"
    "SG5UjECrq9SjouoMcBGwW/i/5QXKExVqFQjpMwNyl+ADfMtnfVYPO9jNv6GvWLbG\n"
    "kOafJNh3nnfWKvz45bX6IbAZDdJbbKdz0evYld8h9JvnVIzZ/oa5ti50fVZh0SlS\n"
    "H5B4F53fJR1a68TrrqXM6lWUvjh/rFM9zZf710NQT/7nnO4yOS+YTnBJo5M8xkxL\n"
    "dPGlXj1Psayb1CFgv95fs7Wx6jlBBn/IrH3z9mhj1B78U+HMqWdRfXeGmEros9ji\n"
    "Ipnb+IZXgOtUZpPh3EP2RC9GRD4guvwlkX7yMF0hcQKBgQC+0Uy6yy+p+PrVkYKG\n"
    "8XzCzO5FuZD9D0ooup/OQAPRZp8rW/9NXYam+RWjv4CnfiYeKuY6gtI1kRny4qBM\n"
    "0jWRU0U07VCSo/kO/pkEB4SznRxThzFN2w4E+Q9Rsl5LSNG+f8pRyBIoi+xs/5+o\n"
    "Zyg7gxfLtyxB2Pv9DCy62a70eQKBgQC7MFCAJYZysJem/CholmVVD2QMirAQDi/g\n"
    "qwYvRwlkLhSMAxjhmOWcsUNdncUTgPFyErLovcSmswIayNLk3U2mAKvTCw7+ogW1\n"
    "Evyqfy8Nwkc7/HWtvGRRoT+tVCXcyyaih/8Pu6y9r5pGX4aSvjXNoyIAArvTgUmw\n"
    "ODa9xXzVMQKBgDurm8D19QvEDjxm6lhkf80y5HftVYetFlWyNnL61bbPzopylF2P\n"
    "F6JzVe8E3aiC7EyWwbQeYLnbjC/F6rbbLWEqlwO8Cmww1pt3xkXaTAcW5FrCdgqQ\n"
    "q8umTsIPcyk7tktKDuyQEg2X4/EZ5sV0rMIfdnt/5lkZD4PMINi1Zd6RAoGBALVr\n"
    "TQn11ImBh2lqyEsdQBahdQkGvT7CUTrA5pyZj4uNcZKFSe8Tva4Qy0aHK0MM3HT/\n"
    "lHAnw9kAc1C8RFFV/vSdf+pptF2rcDafsUwZOeRu35VOyEra5KuMyWdWv99u8QHj\n"
    "Jpv7+55X/ACqgoXkXcbwjXpPK/UAQAfPY5anOaZxAoGAZ1EAj/Ty7KlxigvEoxi1\n"
    "QoXNgGwT9GgsK9gHNULWpvO/PWebus2Q/5YTKZQBL7FTcfRcSasxjUCGDEhYu05y\n"
    "T0+bTBo8MV3u8MSMOKHXn8u10L0ir4Jxb8RUCUIASY1AOYLkvsT4/Mq+1T/7ulup\n"
    "H+gp7GbU5ed+thHijORdE9M=\n"
    "-----END PRIVATE KEY-----\n";

static const char rsa_pkcs1[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEowIBAAKCAQEAi4bmS8ILHh85Ge2OvYEAPcXNITYz1dMvdFaonzhRqRXlDw9H\n"
    "EjbB/0v6QVHnnfBu9UqoJeK9p10zSqWFJ487Il6KHOzJVCvAH//MtY49wT87/zlc\n"
    "fxO79hSyQVudXFJvZV8PhcyW24aDPomWgps8y0FPVIk8qNS+bWV4enlvgB2/MlWt\n"
    "2Z4QVFUnOvzOml56psaVnetoMYpA9bpGKgtp6asHS79iWk1EeF89fcy+PRRwcQRj\n"
    "5CA+jhAzb17Pwn/rmsH0GezKLEjVcZgNe25LQKXkWNhdpgwfh3KXOzftBfKmKqAs\n"
    "VZmtVYpUwCE8pc47p8aeSQaxJ89MxR0Ww4F4KQIDAQABAoIBAAaKgJOi4UtMVqyV\n"
    "39QXvvuGYUFaNYgjzkTXlrBfLyncfEhuVIxAq6vUo6LqDHARsFv4v+UFyhMVahUI\n"
    "6TMDcpfgA3zLZ31WDzvYzb+hr1i2xpDmnyTYd5531ir8+OW1+iGwGQ3SW2ync9Hr\n"
    "2JXfIfSb51SM2f6GubYudH1WYdEpUh+QeBed3yUdWuvE666lzOpVlL44f6xTPc2X\n"
    "+9dDUE/+55zuMjkvmE5wSaOTPMZMS3TxpV49T7Gsm9QhYL/eX7O1seo5QQZ/yKx9\n"
    "8/ZoY9Qe/FPhzKlnUX13hphK6LPY4iKZ2/iGV4DrVGaT4dxD9kQvRkQ+ILr8JZF+\n"
    "8jBdIXECgYEAvtFMussvqfj61ZGChvF8wszuRbmQ/Q9KKLqfzkAD0WafK1v/TV2G\n"
    "pvkVo7+Ap34mHirmOoLSNZEZ8uKgTNI1kVNFNO1QkqP5Dv6ZBAeEs50cU4cxTdsO\n"
    "BPkPUbJeS0jRvn/KUcgSKIvsbP+fqGcoO4MXy7csQdj7/Qwsutmu9HkCgYEAuzBQ\n"
    "gCWGcrCXpvwoaJZlVQ9kDIqwEA4v4KsGL0cJZC4UjAMY4ZjlnLFDXZ3FE4DxchKy\n"
    "6L3EprMCGsjS5N1NpgCr0wsO/qIFtRL8qn8vDcJHO/x1rbxkUaE/rVQl3Msmoof/\n"
    "D7usva+aRl+Gkr41zaMiAAK704FJsDg2vcV81TECgYA7q5vA9fULxA48ZupYZH/N\n"
    "MuR37VWHrRZVsjZy+tW2z86KcpRdjxeic1XvBN2oguxMlsG0HmC524wvxeq22y1h\n"
    "KpcDvApsMNabd8ZF2kwHFuRawnYKkKvLpk7CD3MpO7ZLSg7skBINl+PxGebFdKzC\n"
    "H3Z7f+ZZGQ+DzCDYtWXekQKBgQC1a00J9dSJgYdpashLHUAWoXUJBr0+wlE6wOac\n"
    "mY+LjXGShUnvE72uEMtGhytDDNx0/5RwJ8PZAHNQvERRVf70nX/qabRdq3A2n7FM\n"
    "GTnkbt+VTshK2uSrjMlnVr/fbvEB4yab+/ueV/wAqoKF5F3G8I16Tyv1AEAHz2OW\n"
    "pzmmcQKBgGdRAI/08uypcYoLxKMYtUKFzYBsE/RoLCvYBzVC1qbzvz1nm7rNkP+W\n"
    "EymUAS+xU3H0XEmrMY1AhgxIWLtOck9Pm0waPDFd7vDEjDih15/LtdC9Iq+CcW/E\n"
    "VAlCAEmNQDmC5L7E+PzKvtU/+7pbqR/oKexm1OXnfrYR4ozkXRPT\n"
    "-----END RSA PRIVATE KEY-----\n";

static const char rsa_spki[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAi4bmS8ILHh85Ge2OvYEA\n"
    "PcXNITYz1dMvdFaonzhRqRXlDw9HEjbB/0v6QVHnnfBu9UqoJeK9p10zSqWFJ487\n"
    "Il6KHOzJVCvAH//MtY49wT87/zlcfxO79hSyQVudXFJvZV8PhcyW24aDPomWgps8\n"
    "y0FPVIk8qNS+bWV4enlvgB2/MlWt2Z4QVFUnOvzOml56psaVnetoMYpA9bpGKgtp\n"
    "6asHS79iWk1EeF89fcy+PRRwcQRj5CA+jhAzb17Pwn/rmsH0GezKLEjVcZgNe25L\n"
    "QKXkWNhdpgwfh3KXOzftBfKmKqAsVZmtVYpUwCE8pc47p8aeSQaxJ89MxR0Ww4F4\n"
    "KQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

static const char rsa_pkcs1_public[] =
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEAi4bmS8ILHh85Ge2OvYEAPcXNITYz1dMvdFaonzhRqRXlDw9HEjbB\n"
    "/0v6QVHnnfBu9UqoJeK9p10zSqWFJ487Il6KHOzJVCvAH//MtY49wT87/zlcfxO7\n"
    "9hSyQVudXFJvZV8PhcyW24aDPomWgps8y0FPVIk8qNS+bWV4enlvgB2/MlWt2Z4Q\n"
    "VFUnOvzOml56psaVnetoMYpA9bpGKgtp6asHS79iWk1EeF89fcy+PRRwcQRj5CA+\n"
    "jhAzb17Pwn/rmsH0GezKLEjVcZgNe25LQKXkWNhdpgwfh3KXOzftBfKmKqAsVZmt\n"
    "VYpUwCE8pc47p8aeSQaxJ89MxR0Ww4F4KQIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n";

static const char ec_sec1[] =
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIKJeTxqC9dpGHE374QbJpjIBJfSEKOO3UabMmgqj47AeoAoGCCqGSM49\n"
    "AwEHoUQDQgAEa0HfB8ZLHlj81K4JwzsOis2ysMJZQmVJdrQszsuGMuQST9TzBH4a\n"
    "Of+++aJOFYDQJdke0Z9uosv00vKLry3ZpA==\n"
    "-----END EC PRIVATE KEY-----\n";

static const char ec_pkcs8[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgol5PGoL12kYcTfvh\n"
    "BsmmMgEl9IQo47dRpsyaCqPjsB6hRANCAARrQd8HxkseWPzUrgnDOw6KzbKwwllC\n"
    "ZUl2tCzOy4Yy5BJP1PMEfho5/775ok4VgNAl2R7Rn26iy/TS8ouvLdmk\n"
    "-----END PRIVATE KEY-----\n";

static const char ec_spki[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEa0HfB8ZLHlj81K4JwzsOis2ysMJZ\n"
    "QmVJdrQszsuGMuQST9TzBH4aOf+++aJOFYDQJdke0Z9uosv00vKLry3ZpA==\n"
    "-----END PUBLIC KEY-----\n";

static const char ec_encrypted[] =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgoUqnbhijBhAICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDLeR6eUZg4hT6uFOxLxlrYEgZB7\n"
    "CLQjtmvWj6YS1aDBJxFKKOZ/gC2+MgX/AoNbqxApkygRg920jhWdz6DznUTjTl8Q\n"
    "g0B09tbuKMcGrGZLD6ZAlKtzsiHFrgj/dQPVG1On/45/RHsAyWtcqK4cGEIHKY6c\n"
    "6FlvEfiiLnGOlCSozAzL9tffR9rd0PmFHIGF26U01qg/PUhU+JfJzDIzxRefWOo=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

static const char ec_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBiTCCAS+gAwIBAgIURXW41h8FPvFUTv19Xrb+r8qHNMYwCgYIKoZIzj0EAwIw\n"
    "GTEXMBUGA1UEAwwOaXNzdWVyLmV4YW1wbGUwIBcNMjYxMTIxMDAzNzI5WhgPMjEy\n"
    "NjEwMjgwMDM3MjlaMBkxFzAVBgNVBAMMDmlzc3Vlci5leGFtcGxlMFkwEwYHKoZI\n"
    "zj0CAQYIKoZIzj0DAQcDQgAEa0HfB8ZLHlj81K4JwzsOis2ysMJZQmVJdrQszsuG\n"
    "MuQST9TzBH4aOf+++aJOFYDQJdke0Z9uosv00vKLry3ZpKNTMFEwHQYDVR0OBBYE\n"
    "FKdRY9usJIq+XhlKZhFYB1Vf4c+tMB8GA1UdIwQYMBaAFKdRY9usJIq+XhlKZhFY\n"
    "B1Vf4c+tMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAO5hLqaO\n"
    "QiewSkyWiiPsW2QBYT2XZpBBWZ1hS2MNmdzUAiABTbkQ0PJimiS8HnJCpshLPQuS\n"
    "SKUbHvioHscQ1BRSmQ==\n"
    "-----END CERTIFICATE-----\n";

static const char p384_spki[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEA/VHFCTxO7dxstPBBntQvWi1O/9pnF9L\n"
    "1Bkf2rKmKfvp1oi2WCy9jHO+9uDAGFSxXJ7QCjQzlquatrG6nBEp+l0csnZGA5Dn\n"
    "wYS3RETr1ynqwCMP5UvDP319jxHl3KG6\n"
    "-----END PUBLIC KEY-----\n";

static const char ed25519_spki[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAvVpjtDWGqFznPPhDcvtzSYsAHw0NP5f97sDdvsbOLK0=\n"
    "-----END PUBLIC KEY-----\n";

static const char rsa1024_spki[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDfIk1NalXFp0yoa8v26Qw9MVof\n"
    "wCJX+YGeU+ayPN7Kayc5EEE1R7I9f6a3Y1ocjI2R9dnzH1hWDxgi+NjrQ/okjI0g\n"
    "x9kDQsV6jmUdpBp8S+/QxEidGYpt4KzQhxSlhxrsouiT6BES7bfzR7n7X7F2iMJn\n"
    "8SBFf1ZtnerzrXGOwwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

static const char rsa_e3_spki[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIDANBgkqhkiG9w0BAQEFAAOCAQ0AMIIBCAKCAQEA1bW9rrompmFSXypPvhM8\n"
    "+LLV9NEi4O+HVvPwqEbpz5CYmfBy/RLLFNw7ZmMynm4eR9Tr8hfjftp2MYWMObW7\n"
    "1Vt6iAiI3bGh4ml3uOt3Wdqb0wKccaC96ARPzGBv3mCpDiWSbGojF/mqDHqKRHpx\n"
    "0LfX3JyfwrWiWl+GEdjvHbFSmJWipUgAy6mtZBYmOy0LE+xWZR0JTwecPRo+uklY\n"
    "z0FIU4mgfeTx3QYcN85dYHZcOluvieP1AZ8ZRo373pwsTJJ1UHqBEHBKS4dh+Ith\n"
    "TUP33A16VuhDhFyuFHWOvknQLaIHgGbm8xX+FDKnLCZVWD6ziv8t3po5XoQpnbqR\n"
    "GQIBAw==\n"
    "-----END PUBLIC KEY-----\n";

#endif
