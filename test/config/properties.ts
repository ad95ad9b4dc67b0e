import fc from 'fast-check';

/**
 * Property tests are as deterministic as all others: they draw their cases from one seed. To look for new ones, set PROPERTY_SEED to
 * another whole number; what it finds becomes a test of its own.
 */
fc.configureGlobal({ seed: Number(process.env['PROPERTY_SEED'] ?? 20_261_121) });
