/** `TRUEFORK_SPEED=-NAME,…` turns measures off that are there for speed alone (`native/speed/switches.h`). */
import { native, type SpeedMeasure } from '../binding/native.js';
import { badArgument } from '../errors.js';

/**
 * Whether `TRUEFORK_SPEED` leaves a measure on.
 *
 * @throws `ERR_TRUEFORK_ARGUMENT` where an entry of it is no measure.
 */
export function speedIsOn(measure: SpeedMeasure): boolean {
  const unknown = native.unknownSpeedSwitch();
  if (unknown !== '') {
    throw badArgument(
      `TRUEFORK_SPEED: "${unknown}" is not -NAME, with NAME one of ${native.speedNames()}. It turns measures for ` +
        'speed off, and is empty by default',
    );
  }
  return native.speedIsOn(measure);
}
