/** What held and what did not, printed as it is found. */
export class Verdicts {
  /** True once anything did not hold. */
  failed = false;

  /** @param figures what was measured, whether it holds or not */
  check(what: string, holds: boolean, figures: string): void {
    if (!holds) this.failed = true;
    console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}: ${figures}`);
  }
}
