/** Where clients fetch tokens, on the registry's own host. */
export const tokenPath = '/oauth2/token';

/** Where clients change a credential of the API for a refresh token. */
export const exchangePath = '/oauth2/exchange';
